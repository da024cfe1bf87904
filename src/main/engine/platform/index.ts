export * from './platform.ts'
export * from './create-platform.ts'
export { createKeepAwake, type KeepAwake } from './keep-awake.ts'
export { programFailed, runChecked, runProgram, type ProgramResult, type RunProgram } from './run-program.ts'
