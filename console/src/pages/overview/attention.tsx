import { CheckCircleOutlined, ExclamationCircleOutlined, InfoCircleOutlined, WarningOutlined } from '@ant-design/icons'
import { Link } from 'react-router'
import type { Attention, Severity } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { Panel } from '@/ui/page'

const icons: Record<Severity, React.ReactNode> = {
  info: <InfoCircleOutlined />,
  warning: <WarningOutlined className="warn" />,
  critical: <ExclamationCircleOutlined className="bad" />,
}

export function AttentionPanel({ attention }: { attention: Attention[] }) {
  const { t, pick } = useLanguage()
  return (
    <Panel title={t('overview.attention')}>
      {attention.length === 0 ? (
        <p className="muted">
          <CheckCircleOutlined className="good" /> {t('overview.attention.none')}
        </p>
      ) : (
        <ul className="lines">
          {attention.map((item) => (
            <li key={item.key}>
              <span role="img" aria-label={t(`overview.severity.${item.severity}`)} style={{ paddingTop: 1 }}>
                {icons[item.severity]}
              </span>
              <div className="fill">
                <Link to={item.link}>{pick(item.title)}</Link>
                <p className="small muted">{pick(item.detail)}</p>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
