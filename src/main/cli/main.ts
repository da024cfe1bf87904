/** An argument list in, an exit status out. */
import { readCommandLine } from './command-line.ts'
import { exitDone } from './exit-status.ts'
import type { CliContext } from './verb.ts'
import { loadVerb } from './verbs.ts'

/** Never rejects: whatever is thrown is told in words. */
export async function main(argv: readonly string[], context: CliContext): Promise<number> {
  try {
    const { verb: name, args } = readCommandLine(argv)
    const verb = await loadVerb(name)
    if (asksForHelp(args)) {
      const { helpText } = await import('./help.ts')
      context.terminal.write(helpText(verb))
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

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  const options = end === -1 ? args : args.slice(0, end)
  return options.some((arg) => arg === '--help' || arg === '-help' || arg === '-h')
}
