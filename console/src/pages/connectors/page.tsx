import { Tabs } from 'antd'
import { useLanguage } from '@/i18n/language'
import { Page } from '@/ui/page'
import { oneOf, useUrlState } from '@/url/use-url-state'
import { PullsTab } from './pulls-tab'
import { WebhooksTab } from './webhooks-tab'

const tabs = ['webhooks', 'pulls'] as const

/** Data of other systems: what they post, and what is fetched from them. */
export default function ConnectorsPage() {
  const { t } = useLanguage()
  const url = useUrlState()
  return (
    <Page title={t('connectors.title')} about={t('connectors.page.about')}>
      <Tabs
        activeKey={oneOf(url.get('tab'), tabs)}
        onChange={(tab) => url.set({ tab: tab === 'webhooks' ? null : tab, pull: null, rules: null, runs: null })}
        destroyOnHidden
        items={[
          { key: 'webhooks', label: t('connectors.tab.webhooks'), children: <WebhooksTab /> },
          { key: 'pulls', label: t('connectors.tab.pulls'), children: <PullsTab /> },
        ]}
      />
    </Page>
  )
}
