import { App } from 'antd'
import type { Segment } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { useAct } from '@/ui/use-act'
import { useDeleteSegment } from './queries'

export function useConfirmDelete(then?: () => void) {
  const { t } = useLanguage()
  const { modal } = App.useApp()
  const act = useAct()
  const remove = useDeleteSegment()
  return (segment: Segment) =>
    void modal.confirm({
      title: t('segments.delete.title', { name: segment.name, n: segment.people }),
      content: t('segments.delete.about', { n: segment.people }),
      okText: t('segments.delete'),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: async () => {
        if (await act(() => remove.mutateAsync(segment.key), t('segments.delete.done', { name: segment.name }))) then?.()
      },
    })
}
