/** An argument list in, an exit status out. */
import { refuseBrokenText } from './argument-bytes.ts'
import { readCommandLine } from './command-line.ts'
import { exitDone } from './exit-status.ts'
import { helpSpellings } from './help-spellings.ts'
import type { CliContext } from './verb.ts'
import { loadVerb } from './verbs.ts'

/** Never rejects: whatever is thrown is told in words. */
export async function main(argv: readonly string[], context: CliContext): Promise<number> {
  try {
    refuseBrokenText(argv, () => context.argumentBytes())
    const { verb: name, args } = readCommandLine(argv)
    const verb = await loadVerb(name)
    if (asksFor(helpSpellings, args)) {
      const { helpJson, helpText } = await import('./help.ts')
      context.terminal.write(asksFor(['--json', '-json'], args) ? helpJson(verb) : helpText(verb))
      return exitDone
    }
    return await verb.start(context, args)
  } catch (error) {
    const [{ readTelling, report }, { serializeError }] = await Promise.all([
      import('./report.ts'),
      import('#shared/errors'),
    ])
    return report(context.terminal, serializeError(error), readTelling(argv))
  }
}

function asksFor(spellings: readonly string[], args: readonly string[]): boolean {
  const end = args.indexOf('--')
  const options = end === -1 ? args : args.slice(0, end)
  return options.some((arg) => spellings.includes(arg))
}
