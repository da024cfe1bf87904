/** What a job is called and is about, alike wherever it runs: in the engine host, or in the process of a command. */
import { basename } from 'node:path'
import {
  imageTaskPath,
  isWebLocator,
  webName,
  withoutPassword,
  type ImageTask,
  type RestorePlan,
} from '#shared/model'
import type { JobDescription } from './start-job.ts'

/** The job that `plan` is of. Its title names no password: it is told to everyone, and logged. */
export const describeRestore = (plan: RestorePlan): Omit<JobDescription, 'jobId'> => ({
  kind: 'restore',
  title: `${plan.source?.name ?? withoutPassword(plan.request.source)} → ${plan.target?.name ?? plan.request.target}`,
  plan,
})

/** The job that does `task`, called after its file. */
export function describeImageTask(task: ImageTask): Omit<JobDescription, 'jobId'> {
  const path = imageTaskPath(task)
  return {
    kind: `${task.kind}-image`,
    title: isWebLocator(path) ? webName(path) : basename(path),
    plan: null,
    task,
  }
}
