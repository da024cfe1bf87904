export { examineDeviceStream, type DeviceStreamDeps } from './device-stream.ts'
