import { App } from 'antd'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useAct } from '@/ui/use-act'
import { useDeleteLayering } from './queries'

interface Doomed {
  id: string | number
  name: string
  day: string
  people: number
}

/** Asks, naming what goes and what stays, then deletes. */
export function useConfirmDelete(then?: () => void) {
  const { t } = useLanguage()
  const format = useFormat()
  const { modal } = App.useApp()
  const act = useAct()
  const remove = useDeleteLayering()
  return ({ id, name, day, people }: Doomed) =>
    void modal.confirm({
      title: t('layerings.delete.title', { name, day: format.day(day), people }),
      content: t('layerings.delete.about'),
      okText: t('layerings.delete'),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: async () => {
        if (await act(() => remove.mutateAsync(id), t('layerings.delete.done'))) then?.()
      },
    })
}
