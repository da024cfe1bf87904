/** A control port with sessions that can be managed, without any stream: the hub behind TLS on a loopback port. */
import { createServer, type TLSSocket } from 'node:tls'
import { answerCommand, type ManagedServer } from '#engine/multicast/management'
import { createSessionHub, type HubOutput, type Session } from '#engine/multicast/sessions'
import { createFrameReader, encodeMessage, passwordKey, type ClientMessage } from '#engine/multicast/wire'
import { fingerprintOf, makeCertificate } from '#src/main/engine/multicast/server/certificate.ts'

export interface ManagedPort extends AsyncDisposable {
  readonly port: number
  /** 64 hex digits. */
  readonly fingerprint: string
  /** Cut every connection. */
  readonly cut: () => void
}

/** `sessions`: of the hub, made with its salt. */
export async function openManagedPort(options: {
  readonly server: ManagedServer
  readonly password: string
  readonly sessions?: (key: (password: string) => Promise<Uint8Array>) => Promise<readonly Session[]>
}): Promise<ManagedPort> {
  const { key, certificate } = makeCertificate()
  const fingerprint = Uint8Array.from(fingerprintOf(certificate))
  const salt = new Uint8Array(16).fill(4)
  const hub = createSessionHub({
    salt,
    fingerprint,
    nonce: () => new Uint8Array(32).fill(9),
    managementKey: await passwordKey(options.password, salt),
  })
  for (const session of (await options.sessions?.((password) => passwordKey(password, salt))) ?? [])
    hub.add(session)
  const sockets = new Map<string, TLSSocket>()
  const carry = (outputs: readonly HubOutput[]) => {
    for (const output of outputs)
      if (output.kind === 'send') sockets.get(output.connection)?.write(encodeMessage(output.message))
      else if (output.kind === 'close') sockets.get(output.connection)?.end()
      else if (output.kind === 'command')
        void answerCommand(options.server, output.right, output.json).then((json) =>
          carry(hub.answer(output.connection, output.id, json, 0)),
        )
  }
  let count = 0
  const server = createServer({ key, cert: certificate }, (socket) => {
    const connection = `${count++}`
    sockets.set(connection, socket)
    const reader = createFrameReader({ peer: connection, from: 'client' })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(connection)
      hub.disconnected(connection)
    })
    socket.on('data', (bytes) => {
      for (const message of reader.read(bytes)) carry(hub.message(connection, message as ClientMessage, 0))
    })
    carry(hub.connected(connection, '127.0.0.1', 0))
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const cut = () => {
    for (const socket of sockets.values()) socket.destroy()
  }
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    fingerprint: Buffer.from(fingerprint).toString('hex'),
    cut,
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
    },
  }
}
