export {
  examineDevice,
  holdReleased,
  openDeviceReading,
  releaseDevice,
  type ExaminedDevice,
} from './device-source.ts'
export * from './inspect-source.ts'
export * from './plan-registry.ts'
export * from './plan-restore.ts'
export * from './restore-deps.ts'
export type * from './restore-io.ts'
export * from './run-restore.ts'
export { createStreamDoor } from './stream-door.ts'
export { readStreamImage } from './stream-image.ts'
export { disksRead, type DisksRead } from './source-volumes.ts'
export * from './system-io.ts'
