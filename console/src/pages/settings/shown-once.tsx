import { Alert, Typography } from 'antd'

/** A secret that the server gives out one time only. */
export function ShownOnce({ title, about, secret }: { title: string; about: string; secret: string }) {
  return (
    <Alert
      type="warning"
      showIcon
      title={title}
      description={
        <>
          <p>{about}</p>
          <Typography.Text copyable code style={{ overflowWrap: 'anywhere' }}>
            {secret}
          </Typography.Text>
        </>
      }
    />
  )
}
