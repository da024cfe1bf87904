export { examineDeviceStream } from './device-stream.ts'
