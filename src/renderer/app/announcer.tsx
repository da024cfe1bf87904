/** The two regions a screen reader listens to. */
import { useEffect, useState } from 'react'
import { useReprise } from '#renderer/store'
import { announcement, type Moment } from './announcements.ts'

export function Announcer() {
  const { mirror, view } = useReprise()
  const [polite, setPolite] = useState('')
  const [urgent, setUrgent] = useState('')
  useEffect(() => {
    let last: Moment = { mirror: mirror.getState(), view: view.getState() }
    const follow = () => {
      const now = { mirror: mirror.getState(), view: view.getState() }
      const said = announcement(last, now)
      last = now
      if (said) (said.urgent ? setUrgent : setPolite)(said.text)
    }
    const ends = [mirror.subscribe(follow), view.subscribe(follow)]
    return () => ends.forEach((end) => end())
  }, [mirror, view])
  return (
    <div className="visually-hidden">
      <p role="status" data-announcer="polite">
        {polite}
      </p>
      <p aria-live="assertive" data-announcer="urgent">
        {urgent}
      </p>
    </div>
  )
}
