/** Who is receiving, in order of concern. A thousand rows would slow the page down; the first hundred are shown until all are asked for. */
import { useState } from 'react'
import { Button } from '#renderer/components'
import { inOrderOfConcern } from '#renderer/store'
import type { SessionState } from '#shared/model'
import { formatCount } from '#shared/units'
import { ClientRow } from './client-row.tsx'

const fewRows = 100

export function ClientTable({ session }: { readonly session: SessionState }) {
  const [all, setAll] = useState(false)
  const clients = inOrderOfConcern(session.clients)
  const shown = all ? clients : clients.slice(0, fewRows)
  return (
    <div className="clients" role="region" aria-label="Clients">
      <table>
        <thead>
          <tr>
            <th scope="col">Client</th>
            <th scope="col">State</th>
            <th scope="col">Progress</th>
            <th scope="col" className="clients-number">
              Loss
            </th>
            <th scope="col" className="clients-number">
              Write rate
            </th>
            <th scope="col" className="clients-number">
              Seen
            </th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((client) => (
            <ClientRow
              key={client.clientId}
              client={client}
              sessionId={session.sessionId}
              blocks={session.blocks}
            />
          ))}
        </tbody>
      </table>
      {clients.length === 0 && <p className="clients-empty secondary">No computer has joined yet.</p>}
      {shown.length < clients.length && (
        <p className="clients-empty">
          <Button onPress={() => setAll(true)}>Show All {formatCount(clients.length)} Clients</Button>
        </p>
      )}
    </div>
  )
}
