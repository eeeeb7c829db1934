import { Typography } from 'antd'
import { Link } from 'react-router'
import { useLanguage } from '@/i18n/language'
import { useCan, useWorkspace } from '@/shell/session'
import { EmptyState } from '@/ui/empty'
import { Page } from '@/ui/page'

export function NewWorkspace() {
  const { t } = useLanguage()
  const can = useCan()
  const { name } = useWorkspace()
  return (
    <Page title={name}>
      <section className="panel">
        <EmptyState picture="files" title={t('overview.new.title')}>
          {t('overview.new.about')}
        </EmptyState>
        <div className="cards inside" style={{ padding: '0 24px 28px' }}>
          {can('operator') && (
            <Link to="/data/imports/new" className="choice">
              <strong>{t('overview.new.import')}</strong>
              <span>{t('overview.new.import.about')}</span>
            </Link>
          )}
          {can('admin') && (
            <Link to="/data/sources" className="choice">
              <strong>{t('overview.new.connect')}</strong>
              <span>{t('overview.new.connect.about')}</span>
            </Link>
          )}
          <div className="choice" style={{ cursor: 'default' }}>
            <strong>{t('overview.new.demo')}</strong>
            <span>{t('overview.new.demo.about')}</span>
            <Typography.Text code copyable>
              tilth demo
            </Typography.Text>
          </div>
        </div>
      </section>
    </Page>
  )
}
