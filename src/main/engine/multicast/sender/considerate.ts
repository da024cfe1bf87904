/**
 * The considerate rate: most clients lose at once. Then a rate is tried at which as much as came would just come again. If they lose
 * less for it, the network was full, and the stream stays there and comes back, the slower the sooner it was full again. If it
 * doesn't help, the loss isn't the stream's doing, so the old rate returns and the next try is far off. (Streams at full rate have
 * knocked out phones and name servers.)
 */
import { createLossSamples, type LossSample, type RateMoment } from './loss-sample.ts'

export interface ConsiderateRate {
  /** Bytes a second on the wire. */
  readonly rate: number
  setDataRate(bytesPerSecond: number): void
  /** To be called several times a second, when there is anybody. */
  tick(moment: RateMoment): void
}

const losing = 0.03
/** Of what came: what is tried. */
const tryShare = 0.95
/** The furthest down in one step, of what was sent, and in all, of the most that ever was. */
const furthestShare = 0.125
const leastShare = 0.01
/** Trying less has helped when the loss is below that share of what it was. */
const helpedShare = 0.6
/** When so much is lost, it has also helped if nearly as much comes as before. */
const heavyLoss = 0.2
/** Coming back, a second: at first; each time the network is full again a third; at least; and quicker again in quiet times. */
const returnShare = { most: 0.25, least: 0.02, recovers: 1.1 }
const firstPatienceMs = 60_000
const longestPatienceMs = 960_000

/** A lower rate that is being tried: the limit before, what was really sent, and the loss it is tried for. */
interface Attempt {
  readonly limit: number
  readonly sent: number
  readonly loss: number
}

export function createConsiderateRate(bytesPerSecond: number, datagramBytes: number): ConsiderateRate {
  let dataRate = bytesPerSecond
  let rate = dataRate
  let attempt: Attempt | null = null
  /** What the last attempt that didn't help has shown to be lost anyway; until it is over, only far more is a reason to try. */
  let lostAnyway = 0
  let patientUntilMs = -Infinity
  let nextPatienceMs = firstPatienceMs
  let isLosing = false
  let mostSent = 0
  let growth: number = returnShare.most
  let nextGrowth: number = returnShare.most
  let tickedMs: number | null = null
  const samples = createLossSamples()

  const conclude = (tried: Attempt, { loss }: LossSample, sent: number, moment: RateMoment) => {
    attempt = null
    const arrives = ((1 - loss) * sent) / ((1 - tried.loss) * tried.sent)
    const wouldArrive = rate / tried.sent
    if (loss < tried.loss * helpedShare || (tried.loss > heavyLoss && arrives > (1 + wouldArrive) / 2)) {
      nextPatienceMs = firstPatienceMs
      lostAnyway = 0
      growth = nextGrowth
      nextGrowth = Math.max(returnShare.least, nextGrowth / 3)
    } else {
      rate = Math.min(dataRate, tried.limit)
      lostAnyway = loss
      patientUntilMs = moment.nowMs + nextPatienceMs
      nextPatienceMs = Math.min(longestPatienceMs, nextPatienceMs * 2)
      samples.restart(moment)
    }
  }

  const judge = (sample: LossSample, moment: RateMoment) => {
    const { nowMs } = moment
    const { loss, symbolsPerSecond } = sample
    const sent = Math.min(rate, symbolsPerSecond === null ? rate : symbolsPerSecond * datagramBytes)
    if (attempt !== null) conclude(attempt, sample, sent, moment)
    mostSent = Math.max(mostSent, sent)
    isLosing = loss > losing
    const isPatient = nowMs < patientUntilMs && loss <= 2 * lostAnyway + losing
    if (!isLosing || isPatient) return
    attempt = { limit: rate, sent, loss }
    const aim = Math.max(furthestShare, (1 - loss) * tryShare) * sent
    rate = Math.min(rate, Math.max(aim, mostSent * leastShare))
    samples.restart(moment)
  }

  return {
    get rate() {
      return rate
    },
    setDataRate(next) {
      rate = rate >= dataRate ? next : Math.min(rate, next)
      dataRate = next
    },
    tick(moment) {
      const { nowMs } = moment
      const seconds = Math.min(1, (nowMs - (tickedMs ?? nowMs)) / 1000)
      tickedMs = nowMs
      const sample = samples.take(moment)
      if (sample !== null) judge(sample, moment)
      nextGrowth = Math.min(returnShare.most, nextGrowth * returnShare.recovers ** seconds)
      if (attempt === null && (!isLosing || nowMs < patientUntilMs))
        rate = Math.min(dataRate, rate * (1 + growth * seconds))
    },
  }
}
