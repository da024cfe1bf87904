/** When the Practice disk and image may be made as new. Pure. */
import type { EngineMirror } from './engine-mirror.ts'

/** Not under a job: of what it reads or writes there would be two, and it would fail. */
export function canResetPractice({ app, disks, jobs }: EngineMirror): boolean {
  if (!app?.practice) return false
  const { disk, image } = app.practice
  const isRead = Object.values(jobs).some(({ source, outcome }) => outcome === null && source === image)
  return !isRead && disks[disk]?.busy !== true
}
