/** How somebody asks a process of ours to end: by Ctrl-C, by a signal, or by closing its terminal. */

/**
 * Calls `listener` at each. Closing the terminal (SIGHUP) isn't one under nohup(1), which the command of the installed package tells
 * by REPRISE_NOHUP: Node forgets at its start which signals it should ignore.
 */
export function onAskedToEnd(listener: (signal: NodeJS.Signals) => void): void {
  process.on('SIGINT', listener)
  process.on('SIGTERM', listener)
  process.on('SIGHUP', process.env['REPRISE_NOHUP'] === '1' ? () => undefined : listener)
}
