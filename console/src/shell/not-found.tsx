import { Button } from 'antd'
import { Link } from 'react-router'
import { useLanguage } from '@/i18n/language'
import { EmptyState } from '@/ui/empty'
import { Page } from '@/ui/page'

export function NotFoundPage() {
  const { t } = useLanguage()
  return (
    <Page title={t('notfound.title')}>
      <EmptyState
        picture="table"
        title={t('notfound.head')}
        action={
          <Link to="/">
            <Button type="primary">{t('notfound.home')}</Button>
          </Link>
        }
      >
        {t('notfound.about')}
      </EmptyState>
    </Page>
  )
}
