export { ConfirmSheet } from './confirm-sheet.tsx'
export { NotScannedSheet } from './not-scanned-sheet.tsx'
export { RestorePanel } from './restore-panel.tsx'
