/** The arguments of `reprise web`. */
import { parseArgs } from 'node:util'
import { UsageError } from '#shared/errors'

export interface WebArguments {
  /** 0: any free port. */
  readonly port: number
  /** Open the system's browser. */
  readonly open: boolean
}

/** `[--port N] [--open]`. Throws UsageError E_USAGE. */
export function parseWebArguments(argv: readonly string[]): WebArguments {
  let values: { port?: string; open?: boolean }
  try {
    ;({ values } = parseArgs({
      args: [...argv],
      options: { port: { type: 'string' }, open: { type: 'boolean' } },
      strict: true,
      allowPositionals: false,
    }))
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError('E_USAGE', message, { details: { input: 'arguments', problem: message }, cause })
  }
  const text = values.port ?? '0'
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    const problem = `${text} is not a port: 0 to 65535.`
    throw new UsageError('E_USAGE', problem, { details: { input: 'port', problem } })
  }
  return { port, open: values.open ?? false }
}
