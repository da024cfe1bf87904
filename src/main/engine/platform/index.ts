export * from './create-platform.ts'
export {
  createKeepAwake,
  lateSignal,
  leaveMs,
  programFailed,
  runChecked,
  runProgram,
  type DiskWatch,
  type KeepAwake,
  type MountedVolume,
  type OpenDevice,
  type Openers,
  type Platform,
  type ProgramResult,
  type Resolved,
  type RunProgram,
} from '#engine/platform/system'
