/**
 * Tells one interface's network of streams: asks whether a name is free, announces it, answers who asks, and takes it back at
 * the end (RFC 6762 §8–10). A name that somebody else has gets a number. Pure but for time: what it says goes through `send`.
 */
import {
  encodeData,
  encodeDns,
  headerBytes,
  nameKey,
  recordTypes,
  typeOf,
  type DnsMessage,
  type DnsName,
  type DnsQuestion,
  type DnsRecord,
} from './dns-message.ts'
import { mdnsPort, type Sender } from './mdns-socket.ts'
import { frameBytes, mostMessageBytes, packAnswers } from './pack-answers.ts'
import { encodeText, instanceLabel, serviceName, typesName, type Advertisement } from './stream-records.ts'

export interface ResponderOptions {
  readonly send: (message: DnsMessage, to?: Sender) => void
  /** Whether an address lies in the interface's network. */
  readonly isNear: (address: string) => boolean
  /** This machine's: `['vm', 'local']`. */
  readonly host: DnsName
  /** 0 to 1. */
  readonly chance: () => number
}

export interface Responder extends Disposable {
  /** These from now on. What is no longer among them is taken back. */
  set(advertisements: readonly Advertisement[]): void
  hear(message: DnsMessage, from: Sender): void
  /** Names as they are on the network now, of those that are announced. */
  names(): readonly string[]
}

const probeMs = 250
const probes = 3
const announceMs = 1000
const announcements = 2
/** After losing to somebody who asks for the same name at the same time. */
const deferMs = 1000
/** Records are good for so long: who looks asks again within. */
const ttlSeconds = 120
/** RFC 6762 §6.7: who asks from another port isn't to keep it longer. */
const legacyTtlSeconds = 10
/** RFC 6762 §6: a record isn't multicast more often, but for who wants to take its name. */
const quietMs = 1000
/** Of one message, so many are answered. */
const mostQuestions = 16

interface Service {
  readonly advertisement: Advertisement
  number: number
  state: 'probing' | 'announced'
  timer: NodeJS.Timeout | null
}

export function createResponder({ send, isNear, host, chance }: ResponderOptions): Responder {
  const services = new Map<string, Service>()

  const instanceOf = ({ advertisement, number }: Service): DnsName => [
    instanceLabel(advertisement.session, number),
    ...serviceName,
  ]
  const pointerOf = (service: Service): DnsRecord => ({
    name: serviceName,
    isUnique: false,
    ttlSeconds,
    data: { kind: 'ptr', target: instanceOf(service) },
  })
  const locationOf = (service: Service): DnsRecord => ({
    name: instanceOf(service),
    isUnique: true,
    ttlSeconds,
    data: { kind: 'srv', port: service.advertisement.port, target: host },
  })
  const textOf = (service: Service): DnsRecord => ({
    name: instanceOf(service),
    isUnique: true,
    ttlSeconds,
    data: { kind: 'txt', strings: encodeText(service.advertisement) },
  })
  // Not unique: the machine may have more addresses, which its own responder tells.
  const addressOf = ({ advertisement }: Service): DnsRecord => ({
    name: host,
    isUnique: false,
    ttlSeconds,
    data: { kind: 'a', address: advertisement.address },
  })
  const typeRecord: DnsRecord = {
    name: typesName,
    isUnique: false,
    ttlSeconds,
    data: { kind: 'ptr', target: serviceName },
  }

  const respond = (answers: readonly DnsRecord[], additionals: readonly DnsRecord[] = []) =>
    send({ id: 0, isResponse: true, questions: [], answers, authorities: [], additionals })

  const after = (service: Service, ms: number, act: () => void) => {
    if (service.timer !== null) clearTimeout(service.timer)
    service.timer = setTimeout(act, ms)
  }

  const probe = (service: Service, done: number) => {
    if (done === probes) return announce(service, 0)
    send({
      id: 0,
      isResponse: false,
      questions: [{ name: instanceOf(service), type: recordTypes.any }],
      answers: [],
      authorities: [locationOf(service)],
      additionals: [],
    })
    after(service, probeMs, () => probe(service, done + 1))
  }

  const announce = (service: Service, done: number) => {
    service.state = 'announced'
    respond([pointerOf(service), locationOf(service), textOf(service), addressOf(service)])
    if (done + 1 < announcements) after(service, announceMs, () => announce(service, done + 1))
  }

  const begin = (service: Service, waitMs: number) => {
    service.state = 'probing'
    // Two of ours whose names are the same once they are cut.
    const isTaken = () =>
      services
        .values()
        .some((other) => other !== service && nameKey(instanceOf(other)) === nameKey(instanceOf(service)))
    while (isTaken()) service.number += 1
    after(service, waitMs, () => probe(service, 0))
  }

  const takeBack = (service: Service) => {
    if (service.timer !== null) clearTimeout(service.timer)
    if (service.state !== 'announced') return
    const records = [pointerOf(service), locationOf(service), textOf(service)]
    respond(records.map((record) => ({ ...record, ttlSeconds: 0 })))
  }

  /** Somebody else has, or wants, a name of ours: another place under the same name. */
  const contest = ({ isResponse, answers, additionals, authorities }: DnsMessage) => {
    const claims = isResponse ? [...answers, ...additionals] : authorities
    for (const claim of claims) {
      if (claim.data.kind !== 'srv' || claim.ttlSeconds === 0) continue
      const key = nameKey(claim.name)
      for (const service of services.values()) {
        if (nameKey(instanceOf(service)) !== key) continue
        const order = Buffer.compare(encodeData(locationOf(service).data), encodeData(claim.data))
        if (order === 0) continue
        if (isResponse) {
          // Who has the name keeps it. One that we have announced is asked for again first: the other may be gone.
          if (service.state === 'probing') service.number += 1
          begin(service, 0)
        } else if (service.state === 'probing' && order < 0) begin(service, deferMs)
      }
    }
  }

  /** What is ours to say, each once however often it is asked for. */
  const answersTo = (questions: readonly DnsQuestion[]): readonly DnsRecord[] => {
    const announced = [...services.values()].filter(({ state }) => state === 'announced')
    const [first] = announced
    if (first === undefined) return []
    return [
      typeRecord,
      ...announced.flatMap((service) => [pointerOf(service), locationOf(service), textOf(service)]),
      addressOf(first),
    ].filter((record) => questions.some((question) => isAsked(record, question)))
  }

  const isAsked = (record: DnsRecord, { name, type }: DnsQuestion) =>
    nameKey(record.name) === nameKey(name) && (type === recordTypes.any || typeOf(record) === type)

  const isKnown = (record: DnsRecord, known: readonly DnsRecord[]) =>
    known.some(
      (other) =>
        other.ttlSeconds >= ttlSeconds / 2 &&
        nameKey(other.name) === nameKey(record.name) &&
        typeOf(other) === typeOf(record) &&
        encodeData(other.data).equals(encodeData(record.data)),
    )

  const answer = (query: DnsMessage, from: Sender) => {
    const isLegacy = from.port !== mdnsPort
    // RFC 6762 §11. Others would have this machine send to whomever they name as the asker.
    if (isLegacy && !isNear(from.address)) return
    const isProbe = query.authorities.length > 0
    const questions = query.questions.slice(0, mostQuestions)
    const answers = answersTo(questions).filter((record) => !isKnown(record, query.answers))
    if (answers.length === 0) return
    const byName = new Map(services.values().map((service) => [nameKey(instanceOf(service)), service]))
    const besides = ({ data }: DnsRecord): readonly DnsRecord[] => {
      const service = data.kind === 'ptr' ? byName.get(nameKey(data.target)) : undefined
      return service === undefined ? [] : [locationOf(service), textOf(service), addressOf(service)]
    }
    if (isLegacy) {
      const shorten = (record: DnsRecord) => ({ ...record, isUnique: false, ttlSeconds: legacyTtlSeconds })
      const empty: DnsMessage = {
        id: query.id,
        isResponse: true,
        questions,
        answers: [],
        authorities: [],
        additionals: [],
      }
      // Such a one mostly takes the first message only.
      for (const part of packAnswers(answers, besides, mostMessageBytes - encodeDns(empty).length))
        send(
          { ...empty, answers: part.answers.map(shorten), additionals: part.additionals.map(shorten) },
          from,
        )
      return
    }
    if (performance.now() - answeredMs < (isProbe ? probeMs : quietMs) && answeredKey === keyOf(answers))
      return
    answeredMs = performance.now()
    answeredKey = keyOf(answers)
    // Many may have the same to say, if there is more than one to say it: not all at once.
    const isShared = answers.some(({ isUnique }) => !isUnique)
    const timer = setTimeout(
      () => {
        waiting.delete(timer)
        for (const part of packAnswers(answers, besides, frameBytes - headerBytes))
          respond(part.answers, part.additionals)
      },
      isShared ? 20 + chance() * 100 : 0,
    )
    waiting.add(timer)
  }
  let answeredMs = -Infinity
  let answeredKey = ''
  const waiting = new Set<NodeJS.Timeout>()
  const keyOf = (answers: readonly DnsRecord[]) =>
    answers.map((record) => `${nameKey(record.name)} ${typeOf(record)}`).join('\n')

  const responder: Responder = {
    set(advertisements) {
      const wanted = new Map(advertisements.map((each) => [JSON.stringify(each), each]))
      for (const [key, service] of services)
        if (!wanted.has(key)) {
          services.delete(key)
          takeBack(service)
        }
      for (const [key, advertisement] of wanted) {
        if (services.has(key)) continue
        const service: Service = {
          advertisement,
          number: 1,
          state: 'probing',
          timer: null,
        }
        services.set(key, service)
        begin(service, chance() * probeMs)
      }
    },

    hear(message, from) {
      // RFC 6762 §11: what comes from elsewhere takes no name here.
      if (from.port === mdnsPort && isNear(from.address)) contest(message)
      if (!message.isResponse) answer(message, from)
    },

    names: () =>
      [...services.values()]
        .filter(({ state }) => state === 'announced')
        .map((service) => instanceOf(service)[0] ?? ''),

    [Symbol.dispose]() {
      for (const timer of waiting) clearTimeout(timer)
      responder.set([])
    },
  }
  return responder
}
