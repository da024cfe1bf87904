/** Entry of a hash lane's thread. */
import { takeOrders } from '#engine/threads'
import { serializeError } from '#shared/errors'
import type { HashAnswer, HashOrder } from './hash-order.ts'
import { Hasher } from './hasher.ts'

const hasher = new Hasher()

takeOrders((order: HashOrder): HashAnswer => {
  try {
    return { digests: hasher.run(order) }
  } catch (error) {
    return { error: serializeError(error) }
  }
})
