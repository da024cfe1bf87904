export { ClientSheet } from './client-sheet.tsx'
export { MulticastPanel } from './multicast-panel.tsx'
export { RateSheet } from './rate-sheet.tsx'
export { StopSheet } from './stop-sheet.tsx'
