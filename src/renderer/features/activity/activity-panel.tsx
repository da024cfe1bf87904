/** The Activity tab: the jobs, and the log. */
import { ExternalLink } from 'lucide-react'
import { ToggleButton, ToggleButtonGroup } from 'react-aria-components'
import { Button } from '#renderer/components'
import { useActions, useView, type ViewState } from '#renderer/store'
import { JobList } from './job-list.tsx'
import { LogView } from './log-view.tsx'
import './activity.css'

export function ActivityPanel() {
  const list = useView((view) => view.activity)
  const { showActivity } = useActions()
  return (
    <div className="activity">
      <div className="activity-bar">
        <ToggleButtonGroup
          className="segments"
          aria-label="Activity"
          selectionMode="single"
          disallowEmptySelection
          selectedKeys={[list]}
          onSelectionChange={(keys) => showActivity([...keys][0] as ViewState['activity'])}
        >
          <ToggleButton id="jobs" className="segment">
            Jobs
          </ToggleButton>
          <ToggleButton id="log" className="segment">
            Log
          </ToggleButton>
        </ToggleButtonGroup>
        {list === 'log' && (
          <Button look="quiet" onPress={() => window.open(`${location.pathname}#log`, '_blank', 'noopener')}>
            <ExternalLink size={14} aria-hidden /> Own Window
          </Button>
        )}
      </div>
      {list === 'jobs' ? <JobList /> : <LogView />}
    </div>
  )
}
