#include "drover/client/task_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/internal/convert.h"
#include "client/internal/submission.h"
#include "client/internal/task_client_impl.h"
#include "client/store/names.h"
#include "coord/base/host_port.h"
#include "master/records/record_limits.h"
#include "master/records/spec.h"
#include "master/records/task_id.h"

namespace drover::client {
namespace {

constexpr std::size_t kIdsPerCall = 1000;
constexpr std::uint32_t kListLimitMax = 10'000;
// How long a short cut through the store may hold up a call that has another way.
constexpr auto kStoreProbeTimeout = std::chrono::seconds(5);
// Before what was FULL is run anew once more.
constexpr auto kRetryFullPause = std::chrono::seconds(1);

// A slow link may be that slow.
constexpr auto kUploadTimePerMebibyte = std::chrono::seconds(2);

absl::Status StatusOf(const SubmitResult& result) {
  const std::string message = absl::StrCat("task ", result.id, ": ", result.sentence);
  switch (result.outcome) {
    case SubmitOutcome::kAccepted:
      return absl::OkStatus();
    case SubmitOutcome::kConflict:
      return absl::AlreadyExistsError(message);
    case SubmitOutcome::kTooOld:
      return absl::FailedPreconditionError(message);
    case SubmitOutcome::kRefused:
    case SubmitOutcome::kFull:
      return absl::ResourceExhaustedError(message);
  }
  return absl::InternalError(message);
}

}  // namespace

absl::StatusOr<std::unique_ptr<TaskClient>> TaskClient::Create(ClientOptions options) {
  if (!records::IsName(options.pool)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", options.pool, "\" is no pool: ", records::kNameRule));
  }
  if (options.coord.empty() && options.masters.empty()) {
    return absl::InvalidArgumentError("neither coordination nodes nor masters are given: nobody can be asked");
  }
  for (const auto* addresses : {&options.coord, &options.masters}) {
    for (const std::string& address : *addresses) {
      if (auto parsed = base::ParseHostPort(address); !parsed.ok()) return parsed.status();
    }
  }
  ClientParts parts;
  if (!options.coord.empty()) parts.directory = NewTreeDirectory(options.coord, options.pool);
  parts.stubs = NewGrpcTaskStubs(options.pool);
  parts.waiter = std::make_unique<SystemWaiter>();
  parts.random = std::make_unique<base::SystemRandom>();
  return std::make_unique<TaskClientImpl>(std::move(options), std::move(parts));
}

TaskClientImpl::TaskClientImpl(ClientOptions options, ClientParts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      calls_({options_.masters, options_.pool, options_.request_timeout, options_.try_timeout}, parts_.directory.get(),
             parts_.stubs.get(), parts_.waiter.get(), parts_.random.get()),
      store_(options_.use_store ? parts_.directory.get() : nullptr) {}

void TaskClientImpl::Saw(std::uint64_t zxid) {
  std::uint64_t seen = seen_zxid_.load();
  while (seen < zxid && !seen_zxid_.compare_exchange_weak(seen, zxid)) {
  }
}

template <typename Request, typename Response>
absl::Status TaskClientImpl::Call(absl::Status (TaskStub::*method)(const Request&, Response*, const CallLimits&),
                                  const Request& request, Response* response) {
  return calls_.Run(Idempotency::kSafe, [&](TaskStub* stub, const CallLimits& limits) {
    response->Clear();
    return (stub->*method)(request, response, limits);
  });
}

absl::StatusOr<std::string> TaskClientImpl::Submit(TaskSpec spec) {
  if (absl::Status s = CheckSpec(spec); !s.ok()) return s;
  std::vector<TaskSpec> specs;
  specs.push_back(std::move(spec));
  auto results = SubmitAll(&specs);
  if (!results.ok()) return results.status();
  if (absl::Status s = StatusOf(results->front()); !s.ok()) return s;
  return results->front().id;
}

absl::StatusOr<std::vector<SubmitResult>> TaskClientImpl::SubmitAll(std::vector<TaskSpec>* specs) {
  std::vector<SubmitResult> results;
  results.reserve(specs->size());
  for (std::size_t begin = 0, size = 0; begin < specs->size(); begin += size) {
    size = BatchSize(*specs, begin);
    const auto first = specs->begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = first + static_cast<std::ptrdiff_t>(size);

    // A ticket for each batch: an id that is used long after its ticket was given could be refused as too old.
    if (std::any_of(first, last, [](const TaskSpec& spec) { return spec.id.empty(); })) {
      task::v1::GetTicketResponse ticket;
      if (absl::Status s = Call(&TaskStub::GetTicket, task::v1::GetTicketRequest(), &ticket); !s.ok()) return s;
      // Consecutive numbers keep the order of the batch; the top is free so that they do not wrap.
      std::uint64_t number = parts_.random->Next() >> 1;
      for (auto spec = first; spec != last; ++spec) {
        if (spec->id.empty()) spec->id = records::GeneratedId(ticket.ticket(), number++);
      }
    }

    task::v1::SubmitRequest request;
    std::vector<std::size_t> sent;  // index in results
    for (auto spec = first; spec != last; ++spec) {
      results.push_back({spec->id, SubmitOutcome::kAccepted, ""});
      absl::Status status = CheckSpec(*spec);
      task::v1::TaskSpec message = ToTaskSpec(*spec);
      message.set_submission(parts_.random->Next() | 1);
      if (status.ok()) status = AddProgram(*spec, &message);
      if (absl::IsInvalidArgument(status) || absl::IsResourceExhausted(status)) {
        results.back().outcome = SubmitOutcome::kRefused;
        results.back().sentence = std::string(status.message());
        continue;
      }
      if (!status.ok()) return status;
      *request.add_tasks() = std::move(message);
      sent.push_back(results.size() - 1);
    }
    if (sent.empty()) continue;

    if (absl::Status s = SendBatch(std::move(request), std::move(sent), &results); !s.ok()) return s;
  }
  return results;
}

absl::Status TaskClientImpl::SendBatch(task::v1::SubmitRequest request, std::vector<std::size_t> sent,
                                       std::vector<SubmitResult>* results) {
  const Deadline deadline = parts_.waiter->Now() + options_.request_timeout;
  while (true) {
    task::v1::SubmitResponse response;
    if (absl::Status s = Call(&TaskStub::Submit, request, &response); !s.ok()) return s;
    if (response.results_size() != request.tasks_size())
      return absl::InternalError("the master answered for another number of tasks");
    Saw(response.zxid());
    task::v1::SubmitRequest next;
    std::vector<std::size_t> full;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      const auto index = static_cast<int>(i);
      (*results)[sent[i]] = FromSubmitResult(response.results(index));
      if (response.results(index).outcome() != task::v1::FULL) continue;
      *next.add_tasks() = std::move(*request.mutable_tasks(index));
      full.push_back(sent[i]);
    }
    const auto pause = std::chrono::milliseconds(std::max<std::int64_t>(1, response.retry_after_ms()));
    if (full.empty() || parts_.waiter->Now() + pause >= deadline) return absl::OkStatus();
    parts_.waiter->Wait(pause, {});
    request = std::move(next);
    sent = std::move(full);
  }
}

absl::Status TaskClientImpl::AddProgram(const TaskSpec& spec, task::v1::TaskSpec* message) {
  task::v1::Program program = ToProgram(spec);
  std::string encoded = records::EncodeProgram(program);
  if (encoded.size() <= records::InlineProgramBytesMax(message->policy())) {
    *message->mutable_program() = std::move(program);
    return absl::OkStatus();
  }
  if (encoded.size() > records::kObjectBytesMax) {
    return absl::ResourceExhaustedError(absl::StrCat("program and standard input together have ", encoded.size(),
                                                     " bytes; at most ", records::kObjectBytesMax >> 20, " MiB are taken"));
  }
  auto object = PutProgram(spec.id, encoded);
  if (!object.ok()) return object.status();
  *message->mutable_program_object() = *std::move(object);
  return absl::OkStatus();
}

absl::StatusOr<task::v1::ObjectRef> TaskClientImpl::PutProgram(const std::string& task_id, const std::string& encoded) {
  if (store_.Reachable(parts_.waiter->Now() + kStoreProbeTimeout)) {
    auto put = store_.Put(store::InputKey(task_id, parts_.random->Next()), encoded);
    if (put.ok()) {
      task::v1::ObjectRef object;
      object.set_key(put->key);
      object.set_size(put->size);
      object.set_digest(store::DigestBytes(put->digest));
      return object;
    }
    if (absl::IsResourceExhausted(put.status()) || absl::IsInvalidArgument(put.status())) return put.status();
    // What was the pool's store is not usable from here any more: a master may still reach it.
  }
  task::v1::UploadResponse response;
  // A second try makes a second object; one of them is an orphan that goes with the others of its kind.
  absl::Status status = calls_.Run(Idempotency::kSafe, [&](TaskStub* stub, CallLimits limits) {
    const auto mebibytes = static_cast<int>(encoded.size() >> 20) + 1;
    limits.deadline = std::max<Deadline>(limits.deadline, parts_.waiter->Now() + mebibytes * kUploadTimePerMebibyte);
    return stub->Upload(task_id, encoded, &response, limits);
  });
  if (!status.ok()) return status;
  return std::move(*response.mutable_object());
}

absl::StatusOr<GetResult> TaskClientImpl::GetAll(const std::vector<std::string>& ids) {
  GetResult result;
  for (std::size_t begin = 0; begin < ids.size(); begin += kIdsPerCall) {
    task::v1::GetRequest request;
    for (std::size_t i = begin; i < std::min(ids.size(), begin + kIdsPerCall); ++i) request.add_ids(ids[i]);
    request.set_seen_zxid(seen_zxid_.load());
    task::v1::GetResponse response;
    if (absl::Status s = Call(&TaskStub::Get, request, &response); !s.ok()) return s;
    Saw(response.zxid());
    for (const task::v1::Task& task : response.tasks()) result.tasks.push_back(FromTask(task));
    result.not_found.insert(result.not_found.end(), response.not_found().begin(), response.not_found().end());
  }
  return result;
}

absl::StatusOr<Task> TaskClientImpl::Get(const std::string& id) {
  auto got = GetAll({id});
  if (!got.ok()) return got.status();
  if (got->tasks.empty()) return records::NoTaskError(id);
  return std::move(got->tasks.front());
}

absl::StatusOr<Explanation> TaskClientImpl::Explain(const std::string& id) {
  task::v1::ExplainRequest request;
  request.set_id(id);
  request.set_seen_zxid(seen_zxid_.load());
  task::v1::ExplainResponse response;
  if (absl::Status s = Call(&TaskStub::Explain, request, &response); !s.ok()) return s;
  Saw(response.zxid());
  return FromExplanation(response);
}

absl::StatusOr<TaskPage> TaskClientImpl::List(const ListOptions& options) {
  if (options.limit == 0 || options.limit > kListLimitMax) {
    return absl::InvalidArgumentError(absl::StrCat("a list's limit is 1 to ", kListLimitMax, ", not ", options.limit));
  }
  task::v1::ListRequest request;
  for (State state : options.states) request.add_states(ToState(state));
  request.set_limit(options.limit);
  request.set_after(options.after);
  request.set_queue(options.queue);
  request.set_name(options.name);
  request.set_key(options.key);
  request.set_worker(options.worker);
  request.set_array(options.array);
  request.set_seen_zxid(seen_zxid_.load());
  task::v1::ListResponse response;
  if (absl::Status s = Call(&TaskStub::List, request, &response); !s.ok()) return s;
  Saw(response.zxid());
  TaskPage page;
  for (const task::v1::Task& task : response.tasks()) page.tasks.push_back(FromTask(task));
  page.next = response.next();
  return page;
}

absl::StatusOr<std::vector<CancelResult>> TaskClientImpl::Cancel(const std::vector<std::string>& ids, const std::string& reason) {
  std::vector<CancelResult> results;
  for (std::size_t begin = 0; begin < ids.size(); begin += kIdsPerCall) {
    task::v1::CancelRequest request;
    for (std::size_t i = begin; i < std::min(ids.size(), begin + kIdsPerCall); ++i) request.add_ids(ids[i]);
    request.set_reason(reason);
    task::v1::CancelResponse response;
    if (absl::Status s = Call(&TaskStub::Cancel, request, &response); !s.ok()) return s;
    Saw(response.zxid());
    for (const auto& result : response.results()) results.push_back(FromCancelResult(result));
  }
  return results;
}

absl::StatusOr<std::vector<RetryResult>> TaskClientImpl::Retry(const std::vector<std::string>& ids) {
  std::vector<RetryResult> results;
  const std::uint64_t submission = parts_.random->Next() | 1;
  for (std::size_t begin = 0; begin < ids.size(); begin += kIdsPerCall) {
    task::v1::RetryRequest request;
    for (std::size_t i = begin; i < std::min(ids.size(), begin + kIdsPerCall); ++i) request.add_ids(ids[i]);
    request.set_submission(submission);
    if (absl::Status s = RetryBatch(std::move(request), &results); !s.ok()) return s;
  }
  return results;
}

absl::Status TaskClientImpl::RetryBatch(task::v1::RetryRequest request, std::vector<RetryResult>* results) {
  const Deadline deadline = parts_.waiter->Now() + options_.request_timeout;
  std::vector<std::size_t> sent;  // index in results
  for (const std::string& id : request.ids()) {
    sent.push_back(results->size());
    results->push_back({id, RetryOutcome::kFull, ""});
  }
  while (true) {
    task::v1::RetryResponse response;
    if (absl::Status s = Call(&TaskStub::Retry, request, &response); !s.ok()) return s;
    Saw(response.zxid());
    if (response.results_size() != request.ids_size())
      return absl::InternalError("the master answered for another number of tasks");
    task::v1::RetryRequest next;
    next.set_submission(request.submission());
    std::vector<std::size_t> full;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      (*results)[sent[i]] = FromRetryResult(response.results(static_cast<int>(i)));
      if ((*results)[sent[i]].outcome != RetryOutcome::kFull) continue;
      next.add_ids(request.ids(static_cast<int>(i)));
      full.push_back(sent[i]);
    }
    if (full.empty() || parts_.waiter->Now() + kRetryFullPause >= deadline) return absl::OkStatus();
    parts_.waiter->Wait(kRetryFullPause, {});
    request = std::move(next);
    sent = std::move(full);
  }
}

absl::StatusOr<std::vector<Queue>> TaskClientImpl::ListQueues() {
  task::v1::ListQueuesResponse response;
  if (absl::Status s = Call(&TaskStub::ListQueues, task::v1::ListQueuesRequest(), &response); !s.ok()) return s;
  std::vector<Queue> queues;
  for (const task::v1::Queue& queue : response.queues()) queues.push_back(FromQueue(queue));
  return queues;
}

absl::StatusOr<QueueSettings> TaskClientImpl::SetQueue(const std::string& name, const QueueChange& change) {
  task::v1::SetQueueResponse response;
  if (absl::Status s = Call(&TaskStub::SetQueue, ToSetQueue(name, change), &response); !s.ok()) return s;
  return FromQueueSettings(response.settings());
}

absl::Status TaskClientImpl::DeleteQueue(const std::string& name) {
  task::v1::DeleteQueueRequest request;
  request.set_name(name);
  task::v1::DeleteQueueResponse response;
  return Call(&TaskStub::DeleteQueue, request, &response);
}

absl::Status TaskClientImpl::SetSchedule(const ScheduleSpec& spec, bool replace) {
  task::v1::SetScheduleRequest request;
  *request.mutable_spec() = ToScheduleSpec(spec);
  request.set_replace(replace);
  task::v1::SetScheduleResponse response;
  return Call(&TaskStub::SetSchedule, request, &response);
}

absl::Status TaskClientImpl::DeleteSchedule(const std::string& name) {
  task::v1::DeleteScheduleRequest request;
  request.set_name(name);
  task::v1::DeleteScheduleResponse response;
  return Call(&TaskStub::DeleteSchedule, request, &response);
}

absl::Status TaskClientImpl::PauseSchedule(const std::string& name, bool paused) {
  task::v1::PauseScheduleRequest request;
  request.set_name(name);
  request.set_paused(paused);
  task::v1::PauseScheduleResponse response;
  return Call(&TaskStub::PauseSchedule, request, &response);
}

absl::StatusOr<SubmitResult> TaskClientImpl::RunSchedule(const std::string& name) {
  task::v1::RunScheduleRequest request;
  request.set_name(name);
  request.set_run(parts_.random->Next());
  task::v1::RunScheduleResponse response;
  if (absl::Status s = Call(&TaskStub::RunSchedule, request, &response); !s.ok()) return s;
  Saw(response.zxid());
  return FromSubmitResult(response.result());
}

absl::StatusOr<std::vector<Schedule>> TaskClientImpl::ListSchedules() {
  task::v1::ListSchedulesResponse response;
  if (absl::Status s = Call(&TaskStub::ListSchedules, task::v1::ListSchedulesRequest(), &response); !s.ok()) return s;
  std::vector<Schedule> schedules;
  for (const task::v1::Schedule& schedule : response.schedules()) schedules.push_back(FromSchedule(schedule));
  return schedules;
}

absl::Status TaskClientImpl::DrainWorker(const std::string& worker, std::optional<std::chrono::milliseconds> patience,
                                         const std::string& reason) {
  task::v1::DrainWorkerRequest request;
  request.set_worker(worker);
  if (patience.has_value()) request.set_patience_ms(patience->count());
  request.set_reason(reason);
  task::v1::DrainWorkerResponse response;
  return Call(&TaskStub::DrainWorker, request, &response);
}

absl::Status TaskClientImpl::UndrainWorker(const std::string& worker) {
  task::v1::UndrainWorkerRequest request;
  request.set_worker(worker);
  task::v1::UndrainWorkerResponse response;
  return Call(&TaskStub::UndrainWorker, request, &response);
}

absl::StatusOr<std::vector<Worker>> TaskClientImpl::ListWorkers() {
  task::v1::ListWorkersResponse response;
  if (absl::Status s = Call(&TaskStub::ListWorkers, task::v1::ListWorkersRequest(), &response); !s.ok()) return s;
  std::vector<Worker> workers;
  for (const task::v1::Worker& worker : response.workers()) workers.push_back(FromWorker(worker));
  return workers;
}

absl::StatusOr<std::vector<Master>> TaskClientImpl::ListMasters() {
  task::v1::ListMastersResponse response;
  if (absl::Status s = Call(&TaskStub::ListMasters, task::v1::ListMastersRequest(), &response); !s.ok()) return s;
  std::vector<Master> masters;
  for (const task::v1::Master& master : response.masters()) masters.push_back(FromMaster(master));
  return masters;
}

}  // namespace drover::client
