export * from './platform.ts'
export * from './create-platform.ts'
export { lateSignal } from './late-signal.ts'
export { programFailed, runChecked, runProgram, type ProgramResult, type RunProgram } from './run-program.ts'
