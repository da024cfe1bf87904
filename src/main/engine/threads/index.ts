export { takeOrders } from './take-orders.ts'
export { WorkerThread } from './worker-thread.ts'
