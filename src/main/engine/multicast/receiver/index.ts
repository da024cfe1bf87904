export * from './receiver.ts'
export { createPassStrip, type PassStrip } from './pass-strip.ts'
