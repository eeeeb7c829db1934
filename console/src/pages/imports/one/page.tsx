import { useParams } from 'react-router'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { Loaded } from '@/ui/loaded'
import { Page } from '@/ui/page'
import { Pill } from '@/ui/pill'
import { useImport } from '../queries'
import { ImportSteps } from '../steps'
import { filesLabel, statusTone } from '../words'
import { Outcome } from './outcome'
import { Review } from './review'
import { Running } from './running'

/** One import from the first look at the file to the sum of its rows. */
export default function ImportPage() {
  const { id = '' } = useParams()
  const { t } = useLanguage()
  const format = useFormat()
  const query = useImport(id)
  const one = query.data

  return (
    <Page
      title={one ? t('imports.one.title', { name: filesLabel(t, one.files) }) : t('imports.title')}
      about={
        one && (
          <>
            <Pill tone={statusTone[one.status]}>{t(`imports.status.${one.status}`)}</Pill>{' '}
            {one.dry_run && (
              <>
                <Pill>{t('imports.dry')}</Pill>{' '}
              </>
            )}
            {t(`imports.kind.${one.kind}`)} · {format.bytes(one.files.reduce((sum, file) => sum + file.bytes, 0))} · <span title={format.instantFull(one.created_at)}>{format.ago(one.created_at)}</span>
            {one.by ? ` · ${one.by}` : ''}
          </>
        )
      }
    >
      <Loaded query={query} rows={10}>
        {(data) => (
          <>
            <ImportSteps at={data.status === 'preview' ? 1 : data.status === 'running' ? 2 : 3} failed={data.status === 'failed' || data.status === 'interrupted'} />
            {data.status === 'preview' && <Review one={data} />}
            {data.status === 'running' && <Running one={data} />}
            {data.status !== 'preview' && data.status !== 'running' && <Outcome one={data} />}
          </>
        )}
      </Loaded>
    </Page>
  )
}
