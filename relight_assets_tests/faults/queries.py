"""What the UI asks of Dagster, in GraphQL."""

LOCATIONS = "{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } } }"
LAUNCH = """mutation($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message }
  }
}"""
TERMINATE = """mutation($run: String!) {
  terminateRun(runId: $run, terminatePolicy: SAFE_TERMINATE) { __typename ... on Error { message } }
}"""
RUNS = "{ runsOrError { ... on Runs { results { runId status tags { key value } } } } }"
STATUS = "query($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"
POOL = """{ instance { concurrencyLimit(concurrencyKey: "gpu") {
  slotCount claimedSlots { runId } pendingSteps { runId }
} } }"""
EVENTS = """query($run: ID!) { logsForRun(runId: $run) {
  ... on EventConnection { events {
    __typename ... on MessageEvent { message timestamp stepKey } ... on ErrorEvent { error { message } }
  } }
} }"""
BACKFILL = """mutation($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on Error { message }
  }
}"""
BACKFILL_STATE = """query($backfill: String!) { partitionBackfillOrError(backfillId: $backfill) {
  ... on PartitionBackfill { status runs(limit: 100) { runId status tags { key value } } }
} }"""
REEXECUTE = """mutation($params: ReexecutionParams!) {
  launchRunReexecution(reexecutionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message }
  }
}"""
ADD_SPLIT = """mutation($repository: RepositorySelector!, $split: String!) {
  addDynamicPartition(repositorySelector: $repository, partitionsDefName: "splits", partitionKey: $split) {
    __typename ... on Error { message }
  }
}"""
TICKS = """query($sensor: SensorSelector!) { sensorOrError(sensorSelector: $sensor) {
  ... on Sensor { sensorState { ticks(limit: 500) { status skipReason error { message } runKeys } } }
} }"""
