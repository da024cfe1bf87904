export {
  examineDevice,
  openDeviceReading,
  releaseDevice,
  type DeviceReading,
  type ExaminedDevice,
} from './device-source.ts'
export * from './inspect-source.ts'
export * from './plan-registry.ts'
export * from './plan-restore.ts'
export * from './restore-deps.ts'
export type * from './restore-io.ts'
export * from './run-restore.ts'
export * from './system-io.ts'
