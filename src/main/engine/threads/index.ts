export { takeOrders } from './take-orders.ts'
export { workerLocation } from './worker-location.ts'
export { WorkerThread } from './worker-thread.ts'
