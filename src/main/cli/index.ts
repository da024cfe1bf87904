export type { Engines } from './engines.ts'
export { main } from './main.ts'
export { processTerminal } from './terminal.ts'
export type { StreamEngines, StreamServing } from './stream-engines.ts'
