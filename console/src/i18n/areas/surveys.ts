import type { Message } from '../translate'

export const surveys = {
  'audit.action.survey.create': { zh: '新建问卷', en: 'made a survey' },
  'audit.action.survey.change': { zh: '修改问卷', en: 'changed a survey' },
  'audit.action.survey.delete': { zh: '删除问卷草稿', en: 'deleted a draft survey' },
  'audit.action.survey.open': { zh: '开放问卷', en: 'opened a survey' },
  'audit.action.survey.close': { zh: '关闭问卷', en: 'closed a survey' },
  'audit.action.survey.links': { zh: '生成问卷链接', en: 'made survey links' },
  'audit.action.feedback.answer': { zh: '回复反馈', en: 'answered feedback' },
  'audit.action.feedback.note': { zh: '备注反馈', en: 'noted on feedback' },
  'audit.action.feedback.assign': { zh: '分派反馈', en: 'assigned feedback' },
  'audit.action.feedback.status': { zh: '变更反馈状态', en: 'changed the status of feedback' },
} satisfies Record<string, Message>
