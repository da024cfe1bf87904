export { ConfirmSheet } from './confirm-sheet.tsx'
export { RestorePanel } from './restore-panel.tsx'
