import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { Loaded } from '@/ui/loaded'
import { Page } from '@/ui/page'
import { useLayerings } from '../queries'
import { ComputePanel } from './compute-panel'
import { SavedTable } from './saved-table'

export default function LayeringsPage() {
  const { t } = useLanguage()
  const can = useCan()
  const layerings = useLayerings()
  return (
    <Page title={t('layerings.title')} about={t('layerings.about')}>
      <Loaded query={layerings} rows={10}>
        {(data) => (
          <>
            {can('analyst') && <ComputePanel kinds={data.kinds} />}
            <SavedTable saved={data.saved} />
          </>
        )}
      </Loaded>
    </Page>
  )
}
