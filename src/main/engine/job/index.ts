export * from './job-context.ts'
export * from './job-record.ts'
export * from './job-table.ts'
export * from './start-job.ts'
