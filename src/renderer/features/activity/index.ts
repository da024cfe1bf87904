export { ActivityPanel } from './activity-panel.tsx'
export { LogView } from './log-view.tsx'
export { outcomeIcons } from './outcome-icons.ts'
