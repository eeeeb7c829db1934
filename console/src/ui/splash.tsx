import { Skeleton } from 'antd'

/** The first moment, before we know who is reading. */
export function Splash() {
  return (
    <div className="body" aria-busy="true">
      <Skeleton active paragraph={{ rows: 6 }} title={{ width: 220 }} />
    </div>
  )
}
