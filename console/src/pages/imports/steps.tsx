import { Steps } from 'antd'
import { useLanguage } from '@/i18n/language'

export function ImportSteps({ at, failed }: { at: 0 | 1 | 2 | 3; failed?: boolean }) {
  const { t } = useLanguage()
  return (
    <Steps
      size="small"
      current={at}
      status={failed ? 'error' : at === 3 ? 'finish' : 'process'}
      responsive={false}
      items={[{ title: t('imports.step.files') }, { title: t('imports.step.check') }, { title: t('imports.step.run') }, { title: t('imports.step.result') }]}
      className="import-steps"
    />
  )
}
