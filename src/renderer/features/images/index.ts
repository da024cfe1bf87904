export { FilePanel } from './file-panel.tsx'
export { InfoFooter } from './info-footer.tsx'
export { InfoSheet } from './info-sheet.tsx'
