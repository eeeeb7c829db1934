/**
 * The names the console uses for what `/api/v1` answers. The shapes come from `schema.d.ts`, generated from the
 * server's own OpenAPI document (`npm run api`); here are only shorter names, and words where the document says
 * “a string” but the server knows a few values.
 */
import type { components } from './schema'

type Schemas = components['schemas']

export type Language = 'zh-CN' | 'en'
export type Bilingual = Schemas['Text']
/** ISO-8601, UTC. */
export type Instant = string
/** YYYY-MM-DD. */
export type Day = string
/** `amount` in minor units. */
export type Money = Schemas['Money']
export type Role = Schemas['SessionUser']['role']
export type Severity = 'info' | 'warning' | 'critical'
/** An estimate with its 95 % interval. */
export type Estimate = Schemas['Interval']

export type SessionUser = Schemas['SessionUser']
export type WorkspaceInfo = Omit<Schemas['SessionWorkspace'], 'language'> & { language: Language }
export type Session = { user: SessionUser | null; workspace: WorkspaceInfo }

export type Overview = Schemas['Overview']
export type MonthRow = Schemas['Month']
export type Change = Schemas['Change']
export type Attention = Schemas['AttentionItem']

export type ImportKind = 'orders' | 'events' | 'profiles'
export type ImportStatus = 'preview' | 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted'
export type ImportOptions = Schemas['Options']
export type ImportRule = Schemas['Rule']
export type ImportQuestion = Schemas['Question']
export type PreviewRow = Schemas['PreviewRow']
export type ProposalColumn = Schemas['Column']
export type Proposal = Schemas['Proposal']
export type ImportSummary = Schemas['Summary']
export type ImportProgress = Omit<Schemas['Progress'], 'phase'> & { phase: 'reading' | 'writing' }
export type Import = Omit<Schemas['Import'], 'kind' | 'status' | 'progress'> & { kind: ImportKind; status: ImportStatus; progress: ImportProgress | null }
export type ImportPage = Omit<Schemas['Imported'], 'imports'> & { imports: Import[] }

export type QuarantineRow = Schemas['QuarantineRow']
export type QuarantinePage = Schemas['Quarantine']
export type ReplayResult = Schemas['Replayed']

export type LayeringParameter = Schemas['ParameterInfo']
export type LayeringKind = Schemas['KindInfo']
export type SavedLayering = Schemas['SavedLayering']
export type Layerings = Schemas['Layerings']
export type Layering = Schemas['Layering']
export type Layer = Schemas['Layer']
export type LayerName = Schemas['LayerName']
export type RfmCell = Schemas['Cell']
export type Matrix = Schemas['Matrix']
export type Flow = Schemas['Flow']
export type Quality = Schemas['Quality']
export type Notice = Schemas['Notice']
export type LayeringComparison = Schemas['Comparison']
export type LayerPerson = Schemas['PersonRow']

export type Segment = Schemas['Segment']
export type SegmentList = Schemas['SegmentList']

export type DistinctId = Schemas['ListedId']
export type PersonRow = Schemas['ListedPerson']
export type Person = Schemas['Person']
export type KnownId = Schemas['KnownId']
export type Trait = Schemas['KnownTrait']
export type PortraitReport = Schemas['Portraits']
export type ChannelPortrait = Schemas['ChannelPortrait']
export type Thing = Schemas['ListedThing']
export type ThingList = Schemas['ThingList']
export type ThingKinds = Schemas['ThingKinds']
export type Order = Schemas['PersonOrder']
export type OrderLine = Schemas['OrderLine']
export type Orders = Schemas['PersonOrders']
export type TimelineEvent = Schemas['PersonEvent']
export type Timeline = Schemas['PersonTimeline']
/** A page of people anywhere. */
export type Page<Row> = { people: Row[]; total: number; next: string | null }

export type ClvModel = 'bgnbd' | 'pareto_nbd' | 'mbgnbd'
export type TimeUnit = 'day' | 'week' | 'month'
export type ClvQuestion = { model: ClvModel; time_unit: TimeUnit; calibration_end?: Day; until?: Day; horizon?: number }
export type ClvResult = Omit<Schemas['CLVResult'], 'time_unit'> & { time_unit: TimeUnit }
export type ClvPerson = Schemas['TopPerson']
export type Holdout = Schemas['Holdout']

export type SqlResult = Schemas['SqlAnswer']
export type SqlSchema = Schemas['SqlSchema']
export type Health = Schemas['DataHealth']

export type WorkspaceSettings = Omit<Schemas['WorkspaceSettings'], 'language'> & { language: Language }
export type User = Schemas['User']
export type Invitation = Schemas['Invitation']
export type Token = Schemas['Token']
export type CreatedToken = Schemas['CreatedToken']
export type Source = Schemas['SourceKey']
export type SourceSettings = Schemas['SourceSettings']
export type Treatment = Schemas['Privacy']['ip']
export type SeenRequest = Schemas['Seen']
export type TrackingPlan = Schemas['TrackingPlan']
export type InferredPlan = Schemas['InferredPlan']
export type Observed = Schemas['Observed']
export type ObservedEvent = Schemas['ObservedEvent']
export type ObservedProperty = Schemas['ObservedProperty']
export type Drift = Schemas['Drift']
export type DriftNotice = Schemas['DriftNotice']
export type PlanIssue = Schemas['Issue']
export type SurveyOption = Schemas['SurveyOption']
/** What may be left out when sent is always there in an answer. */
export type SurveyQuestion = Required<Schemas['SurveyQuestion']>
export type Survey = Omit<Required<Schemas['Survey']>, 'questions'> & { questions: SurveyQuestion[] }
export type SurveyInfo = Omit<Schemas['SurveyInfo'], 'survey'> & { survey: Survey }
export type SurveyResults = Schemas['SurveyResults']
export type QuestionResult = Schemas['QuestionResult']
export type ChoiceShare = Schemas['ChoiceShare']
export type AnswerTexts = Schemas['AnswerTexts']
export type PersonalLink = Schemas['PersonalLink']
export type PersonalLinks = Schemas['PersonalLinks']
export type FeedbackLine = Schemas['FeedbackLine']
export type FeedbackList = Schemas['FeedbackList']
export type FeedbackDetail = Schemas['FeedbackDetail']
export type FeedbackFigures = Schemas['FeedbackFigures']
export type FeedbackMoved = Schemas['FeedbackMoved']
export type Connector = Schemas['ConnectorInfo']
export type MappedEvents = Schemas['Mapped']
export type Pull = Schemas['PullInfo']
export type PullRun = Schemas['PullRunInfo']
export type PullLook = Schemas['Look']
export type IdentityGraph = Schemas['IdentityGraph']
export type IdentityLink = Schemas['GraphLink']
export type IdentityConflict = Schemas['IdentityConflict']
export type IdentityConflicts = Schemas['IdentityConflicts']
export type IdentitySummary = Schemas['IdentitySummary']
export type AuditEntry = Schemas['AuditEntry']
export type AuditPage = Schemas['AuditPage']
export type SearchResult = Schemas['Found']

export type FunnelAnswer = Schemas['FunnelAnswer']
export type RetentionAnswer = Schemas['RetentionAnswer']
export type LifecycleAnswer = Schemas['LifecycleAnswer']
export type StickinessAnswer = Schemas['StickinessAnswer']
export type TrendsAnswer = Schemas['TrendsAnswer']
export type DistributionAnswer = Schemas['DistributionAnswer']
export type SessionsAnswer = Schemas['SessionsAnswer']
export type PathsAnswer = Schemas['PathsAnswer']
export type AttributionAnswer = Schemas['AttributionAnswer']
export type LtvAnswer = Schemas['LtvAnswer']
export type PeopleBehind = Schemas['PeopleBehind']
export type SavedQuestion = Schemas['ListedQuestion']
export type QuestionList = Schemas['QuestionList']
export type Board = Schemas['ShownBoard']
export type BoardList = Schemas['BoardList']
export type ListedBoard = Schemas['ListedBoard']
export type Tile = Schemas['Tile']

/** What has its default is left out, both ways. */
type Loose<T, Needed extends keyof T> = Pick<T, Needed> & Partial<Omit<T, Needed>>
export type Metric = Loose<Omit<Schemas['Metric'], 'denominator'>, 'key' | 'name' | 'kind'> & { denominator?: Partial<Schemas['Part']> | null }
export type ShownMetric = Omit<Schemas['ShownMetric'], 'metric'> & { metric: Metric }
export type MetricList = { metrics: ShownMetric[] }
export type MetricVersions = { versions: (Omit<Schemas['ShownVersion'], 'metric'> & { metric: Metric })[] }
export type MetricAnswer = Schemas['MetricAnswer']
export type MetricPoint = Schemas['MetricPoint']
export type Part = Schemas['Share']
export type AarrrAnswer = Omit<Schemas['AarrrAnswer'], 'settings'> & { settings: StageSettings }
export type ChannelsAnswer = Schemas['ChannelsAnswer']
export type ChannelLine = Schemas['ChannelLine']
export type DealPathsAnswer = Schemas['DealPathsAnswer']
export type DealCell = Schemas['DealCell']
export type Stages = Omit<Schemas['ShownStages'], 'settings'> & { settings: StageSettings }
export type StageSettings = Partial<Schemas['StageSettings']>
export type ChannelCosts = Schemas['CostList']
export type TreeNode = Loose<Omit<Schemas['Node'], 'children'>, 'id' | 'name'> & { children?: TreeNode[] }
export type Tree = Omit<Schemas['Tree'], 'root'> & { root: TreeNode }
export type ShownTree = Omit<Schemas['ShownTree'], 'tree'> & { tree: Tree }
export type TreeList = { trees: ShownTree[] }
export type TreeAnswer = Schemas['TreeAnswer']
export type NodeAnswer = Schemas['NodeAnswer']
export type AlertCondition = Loose<Schemas['Condition'], 'kind'>
export type Alert = Loose<Omit<Schemas['Alert'], 'condition'>, 'key' | 'name' | 'metric'> & { condition: AlertCondition }
export type ShownAlert = Omit<Schemas['ShownAlert'], 'alert'> & { alert: Alert }
export type AlertList = { alerts: ShownAlert[] }
export type AlertPreview = Schemas['AlertPreview']
export type Incident = Schemas['ShownIncident']
export type IncidentList = Schemas['IncidentList']
export type Destination = Schemas['ShownDestination']
export type DestinationList = Schemas['DestinationList']
export type Delivery = Schemas['ShownDelivery']
export type DeliveryList = Schemas['DeliveryList']
export type BoardSchedule = Schemas['BoardSchedule']
export type ShownSchedule = Schemas['ShownSchedule']
export type SavedSql = Schemas['ShownSql']
export type SavedSqlList = Schemas['SavedSqlList']
