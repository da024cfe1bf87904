export * from './platform.ts'
export * from './create-platform.ts'
export {
  programFailed,
  runChecked,
  runProgram,
  type ProgramOptions,
  type ProgramResult,
  type RunProgram,
} from './run-program.ts'
