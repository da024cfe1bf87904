export type { Engines, RunningJob } from './engines.ts'
export { main } from './main.ts'
export { processTerminal, type Terminal } from './terminal.ts'
export type { CliContext } from './verb.ts'
