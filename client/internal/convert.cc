#include "client/internal/convert.h"

#include <algorithm>
#include <utility>

#include "master/records/array.h"
#include "master/records/backoff.h"
#include "master/records/requirement.h"
#include "master/records/spec.h"

namespace drover::client {
namespace {

State FromState(task::v1::State state) {
  return task::v1::State_IsValid(state) ? static_cast<State>(state) : State::kUnspecified;
}

Reason FromReason(task::v1::Reason reason) {
  return task::v1::Reason_IsValid(reason) ? static_cast<Reason>(reason) : Reason::kNone;
}

static_assert(static_cast<int>(State::kLost) == task::v1::LOST && task::v1::State_MAX == task::v1::LOST);
static_assert(static_cast<int>(IfExists::kRerunFailed) == task::v1::RERUN_FAILED &&
              static_cast<int>(IfExists::kReject) == task::v1::REJECT);
static_assert(static_cast<int>(State::kSucceeded) == task::v1::SUCCEEDED);
static_assert(static_cast<int>(MissedRuns::kSkip) == task::v1::ScheduleSpec::SKIP &&
              static_cast<int>(MissedRuns::kAll) == task::v1::ScheduleSpec::ALL);
static_assert(static_cast<int>(Dependency::Condition::kFailure) == task::v1::Dependency::FAILURE &&
              static_cast<int>(Dependency::Condition::kEnd) == task::v1::Dependency::END);
static_assert(static_cast<int>(Reason::kHeartbeat) == task::v1::HEARTBEAT && task::v1::Reason_MAX == task::v1::HEARTBEAT);
static_assert(static_cast<int>(OutputStream::kStderr) == task::v1::STDERR &&
              static_cast<int>(OutputStream::kResult) == task::v1::RESULT);
static_assert(static_cast<int>(Reason::kCouldNotStart) == task::v1::COULD_NOT_START);

}  // namespace

task::v1::Policy ToPolicy(const TaskSpec& spec) {
  task::v1::Policy policy;
  policy.set_name(spec.name);
  policy.set_queue(spec.queue);
  policy.set_priority(static_cast<std::uint32_t>(spec.priority));
  policy.mutable_labels()->insert(spec.labels.begin(), spec.labels.end());
  policy.set_time_limit_ms(spec.time_limit.count());
  policy.set_retries(static_cast<std::uint32_t>(spec.retries));
  if (spec.retry_backoff.count() != records::kRetryBackoffDefaultMs) policy.set_retry_backoff_ms(spec.retry_backoff.count());
  policy.mutable_retry_exit_codes()->Add(spec.retry_exit_codes.begin(), spec.retry_exit_codes.end());
  policy.set_delay_ms(spec.delay.count());
  policy.set_start_at_ms(spec.start_at_ms);
  policy.set_start_within_ms(spec.start_within.count());
  policy.set_deadline_ms(spec.deadline_ms);
  policy.set_total_limit_ms(spec.total_limit.count());
  policy.set_heartbeat_ms(spec.heartbeat.count());
  policy.set_key(spec.key);
  if (spec.key_max != 1) policy.set_key_max(static_cast<std::uint32_t>(spec.key_max));
  if (!spec.handler.empty()) records::RequireHandler(spec.handler, &policy);
  for (const std::string& text : spec.rules) {
    // CheckSpec has judged it.
    if (auto rule = records::ParseLabelRule(text); rule.ok()) *policy.add_rules() = *std::move(rule);
  }
  policy.mutable_resources()->insert(spec.resources.begin(), spec.resources.end());
  for (const Dependency& dependency : spec.dependencies) {
    auto* const message = policy.add_dependencies();
    message->set_task(dependency.task);
    message->set_condition(static_cast<task::v1::Dependency::Condition>(dependency.condition));
  }
  if (!spec.array.empty()) {
    // CheckSpec has judged it.
    if (auto array = records::ParseArray(spec.array); array.ok()) *policy.mutable_array() = *std::move(array);
  }
  policy.set_at_most_once(spec.at_most_once);
  policy.set_on_disconnect(spec.on_disconnect == OnDisconnect::kStop ? task::v1::STOP : task::v1::KEEP);
  return policy;
}

task::v1::Program ToProgram(const TaskSpec& spec) {
  task::v1::Program program;
  for (const std::string& argument : spec.argv) program.add_argv(argument);
  program.mutable_env()->insert(spec.env.begin(), spec.env.end());
  program.set_handler(spec.handler);
  program.set_cwd(spec.cwd);
  program.set_stdin(spec.stdin_data);
  return program;
}

task::v1::State ToState(State state) {
  return static_cast<task::v1::State>(state);
}

Task FromTask(const task::v1::Task& task) {
  Task t;
  t.id = task.id();
  t.name = task.policy().name();
  t.queue = task.policy().queue();
  t.priority = static_cast<int>(task.policy().priority());
  t.state = FromState(task.state());
  t.reason = FromReason(task.reason());
  t.sentence = task.sentence();
  t.attempt = task.attempt();
  t.fence = task.fence();
  t.worker = task.worker();
  t.exit_code = IsTerminal(t.state) ? task.exit_code() : -1;
  t.signal = IsTerminal(t.state) ? task.signal() : 0;
  t.submitted_at_ms = task.submitted_at();
  t.started_at_ms = task.started_at();
  t.finished_at_ms = task.finished_at();
  t.not_before_ms = task.not_before();
  t.reruns = task.reruns();
  for (const task::v1::Dependency& dependency : task.policy().dependencies()) {
    const bool known = task::v1::Dependency::Condition_IsValid(dependency.condition());
    t.dependencies.push_back(
        {dependency.task(), known ? static_cast<Dependency::Condition>(dependency.condition()) : Dependency::Condition::kEnd});
  }
  if (task.has_progress()) {
    t.progress.emplace();
    if (task.progress().has_percent()) t.progress->percent = task.progress().percent();
    t.progress->text = task.progress().text();
    t.progress->at_ms = task.progress().at();
  }
  t.result_bytes = task.result_size();
  if (task.has_result()) t.result = task.result();
  if (task.policy().has_array()) {
    const task::v1::ArrayProgress& progress = task.array();
    t.array = ArrayProgress{records::ArrayText(task.policy().array()),
                            progress.elements(),
                            progress.waiting(),
                            progress.under_way(),
                            progress.succeeded(),
                            progress.failed(),
                            progress.cancelled(),
                            progress.lost(),
                            {}};
    for (const task::v1::Array::Range& range : progress.unsuccessful()) t.array->unsuccessful.push_back(records::RangeText(range));
  }
  t.waits_for.assign(task.waits_for().begin(), task.waits_for().end());
  for (const task::v1::Attempt& attempt : task.attempts()) {
    Attempt a;
    a.fence = attempt.fence();
    a.worker = attempt.worker();
    a.assigned_at_ms = attempt.assigned_at();
    a.started_at_ms = attempt.started_at();
    a.finished_at_ms = attempt.finished_at();
    a.state = FromState(attempt.state());
    a.reason = FromReason(attempt.reason());
    a.exit_code = IsTerminal(a.state) ? attempt.exit_code() : -1;
    a.signal = attempt.signal();
    t.attempts.push_back(std::move(a));
  }
  return t;
}

Worker FromWorker(const task::v1::Worker& worker) {
  Worker w;
  w.id = worker.id();
  w.address = worker.address();
  w.slots = worker.slots();
  w.running = worker.running();
  w.labels.insert(worker.labels().begin(), worker.labels().end());
  w.state = worker.state();
  w.resources.insert(worker.resources().begin(), worker.resources().end());
  w.drain_reason = worker.drain_reason();
  w.drained_since_ms = worker.drained_since();
  w.drain_deadline_ms = worker.drain_deadline();
  w.resources_taken.insert(worker.resources_taken().begin(), worker.resources_taken().end());
  return w;
}

QueueSettings FromQueueSettings(const task::v1::QueueSettings& settings) {
  QueueSettings s;
  s.weight = std::max(1U, settings.weight());
  s.running_max = settings.running_max();
  s.starts_per_second = settings.starts_per_second();
  s.burst = std::max(1U, settings.burst());
  s.paused = settings.paused();
  s.placement = settings.placement() == task::v1::QueueSettings::PACK ? Placement::kPack : Placement::kSpread;
  s.waiting_max = settings.waiting_max();
  return s;
}

Queue FromQueue(const task::v1::Queue& queue) {
  return Queue{queue.name(),    queue.has_settings(), FromQueueSettings(queue.settings()),
               queue.waiting(), queue.delayed(),      queue.running()};
}

task::v1::SetQueueRequest ToSetQueue(const std::string& name, const QueueChange& change) {
  task::v1::SetQueueRequest request;
  request.set_name(name);
  if (change.weight.has_value()) request.set_weight(*change.weight);
  if (change.running_max.has_value()) request.set_running_max(*change.running_max);
  if (change.starts_per_second.has_value()) request.set_starts_per_second(*change.starts_per_second);
  if (change.burst.has_value()) request.set_burst(*change.burst);
  if (change.paused.has_value()) request.set_paused(*change.paused);
  if (change.placement.has_value()) {
    request.set_placement(*change.placement == Placement::kPack ? task::v1::QueueSettings::PACK : task::v1::QueueSettings::SPREAD);
  }
  if (change.waiting_max.has_value()) request.set_waiting_max(*change.waiting_max);
  return request;
}

task::v1::ScheduleSpec ToScheduleSpec(const ScheduleSpec& spec) {
  task::v1::ScheduleSpec message;
  message.set_name(spec.name);
  message.set_cron(spec.cron);
  message.set_time_zone(spec.time_zone);
  message.set_every_ms(spec.every.count());
  message.set_missed(static_cast<task::v1::ScheduleSpec::Missed>(spec.missed));
  message.set_no_overlap(spec.no_overlap);
  *message.mutable_policy() = ToPolicy(spec.task);
  *message.mutable_program() = ToProgram(spec.task);
  return message;
}

Schedule FromSchedule(const task::v1::Schedule& schedule) {
  const task::v1::ScheduleSpec& spec = schedule.spec();
  Schedule s;
  s.name = spec.name();
  s.cron = spec.cron();
  s.time_zone = spec.time_zone();
  s.every = std::chrono::milliseconds(spec.every_ms());
  s.missed = task::v1::ScheduleSpec::Missed_IsValid(spec.missed()) ? static_cast<MissedRuns>(spec.missed()) : MissedRuns::kOne;
  s.no_overlap = spec.no_overlap();
  s.queue = spec.policy().queue();
  s.argv.assign(spec.program().argv().begin(), spec.program().argv().end());
  s.paused = schedule.paused();
  s.created_at_ms = schedule.created_at();
  s.last_at_ms = schedule.last_at();
  s.last_task = schedule.last_task();
  s.fired = schedule.fired();
  s.note = schedule.note();
  s.next_at_ms = schedule.next_at();
  return s;
}

Master FromMaster(const task::v1::Master& master) {
  return Master{master.id(), master.address(), master.leader(), master.epoch()};
}

SubmitResult FromSubmitResult(const task::v1::SubmitResponse::Result& result) {
  SubmitOutcome outcome = SubmitOutcome::kRefused;
  switch (result.outcome()) {
    case task::v1::DONE:
    case task::v1::EXISTED:
      outcome = SubmitOutcome::kAccepted;
      break;
    case task::v1::CONFLICT:
      outcome = SubmitOutcome::kConflict;
      break;
    case task::v1::TOO_OLD:
      outcome = SubmitOutcome::kTooOld;
      break;
    case task::v1::FULL:
      outcome = SubmitOutcome::kFull;
      break;
    default:
      break;
  }
  return SubmitResult{result.id(), outcome, result.sentence()};
}

CancelResult FromCancelResult(const task::v1::CancelResponse::Result& result) {
  CancelOutcome outcome = CancelOutcome::kRefused;
  switch (result.outcome()) {
    case task::v1::DONE:
      outcome = CancelOutcome::kCancelled;
      break;
    case task::v1::ALREADY_TERMINAL:
      outcome = CancelOutcome::kAlreadyTerminal;
      break;
    case task::v1::NOT_FOUND:
      outcome = CancelOutcome::kNotFound;
      break;
    default:
      break;
  }
  return CancelResult{result.id(), outcome, result.sentence()};
}

Explanation FromExplanation(const task::v1::ExplainResponse& response) {
  Explanation explanation{FromTask(response.task()), response.sentence(), response.ahead(), {}};
  for (const auto& verdict : response.workers()) {
    explanation.workers.push_back({verdict.worker(), verdict.suits(), verdict.sentence()});
  }
  return explanation;
}

RetryResult FromRetryResult(const task::v1::RetryResponse::Result& result) {
  RetryOutcome outcome = RetryOutcome::kRefused;
  if (result.outcome() == task::v1::DONE) outcome = RetryOutcome::kRetried;
  if (result.outcome() == task::v1::NOT_FOUND) outcome = RetryOutcome::kNotFound;
  if (result.outcome() == task::v1::FULL) outcome = RetryOutcome::kFull;
  return RetryResult{result.id(), outcome, result.sentence()};
}

}  // namespace drover::client
