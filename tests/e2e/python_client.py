"""A task client in Python, generated from the protos: submits, watches, cancels, sends a large program by reference.

Usage: python_client.py GENERATED_DIR MASTER_ADDRESS
"""

import sys

sys.path.insert(0, sys.argv[1])

import grpc  # noqa: E402
from drover.task.v1 import task_pb2 as task  # noqa: E402
from drover.task.v1 import task_pb2_grpc  # noqa: E402

CHUNK = 1 << 20


def spec(task_id, *argv, **program):
    return task.TaskSpec(id=task_id, program=task.Program(argv=argv, **program))


def submit(stub, *specs):
    results = stub.Submit(task.SubmitRequest(tasks=specs), timeout=30).results
    assert all(r.outcome in (task.DONE, task.EXISTED) for r in results), results


def last_seen(stub, task_id):
    newest = None
    for update in stub.Watch(task.WatchRequest(ids=[task_id]), timeout=120):
        assert not update.not_found, update
        for seen in update.tasks:
            newest = seen
    return newest


def upload(stub, task_id, data):
    def parts():
        yield task.UploadRequest(header=task.UploadRequest.Header(task_id=task_id, size=len(data)))
        for at in range(0, len(data), CHUNK):
            yield task.UploadRequest(chunk=data[at : at + CHUNK])

    return stub.Upload(parts(), timeout=60).object


def refused(code, call):
    try:
        list(call())
    except grpc.RpcError as error:
        assert error.code() == code, error
        assert error.details(), error
    else:
        raise AssertionError(f"{code} did not come")


def check_refusals(stub):
    """What can never be right, or is over a documented limit, is refused with the documented code: an enum is a number on the wire."""
    invalid, exhausted = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED
    refused(invalid, lambda: [stub.List(task.ListRequest(states=[99]), timeout=30)])
    refused(invalid, lambda: stub.ReadOutput(task.ReadOutputRequest(id="from-python", stream=7), timeout=30))
    refused(grpc.StatusCode.NOT_FOUND, lambda: stub.ReadOutput(task.ReadOutputRequest(id="from-python", attempt=9), timeout=30))

    def parts(size, chunk):
        yield task.UploadRequest(header=task.UploadRequest.Header(task_id="big", size=size))
        yield task.UploadRequest(chunk=b"x" * chunk)

    refused(exhausted, lambda: [stub.Upload(parts(CHUNK + 1, CHUNK + 1), timeout=60)])
    refused(exhausted, lambda: [stub.Upload(parts((64 << 20) + 1, 1), timeout=60)])


def main():
    channel = grpc.insecure_channel(sys.argv[2], options=[("grpc.enable_http_proxy", 0)])
    stub = task_pb2_grpc.TaskServiceStub(channel)

    submit(stub, spec("from-python", "sh", "-c", "echo hello from python"))
    done = last_seen(stub, "from-python")
    assert done.state == task.SUCCEEDED and done.exit_code == 0, done
    output = b"".join(r.data for r in stub.ReadOutput(task.ReadOutputRequest(id="from-python", stream=task.STDOUT), timeout=30))
    assert output == b"hello from python\n", output

    batches = [task.SubmitRequest(tasks=[spec(f"many-{i}-{j}", "true") for j in range(100)]) for i in range(10)]
    batches[3].tasks.append(spec("from-python", "false"))
    many = stub.SubmitMany(iter(batches), timeout=60)
    assert many.accepted == 1000, many
    assert [(r.id, r.outcome) for r in many.refused] == [("from-python", task.CONFLICT)], many
    assert last_seen(stub, "many-9-99").state == task.SUCCEEDED

    submit(stub, spec("endless", "sleep", "1000"))
    cancelled = stub.Cancel(task.CancelRequest(ids=["endless"], reason="enough"), timeout=30).results[0]
    assert cancelled.outcome == task.DONE, cancelled
    ended = last_seen(stub, "endless")
    assert ended.state == task.CANCELLED, ended

    large = task.Program(argv=["wc", "-c"], stdin=b"x" * (10 << 20)).SerializeToString()
    submit(stub, task.TaskSpec(id="large", program_object=upload(stub, "large", large)))
    counted = last_seen(stub, "large")
    assert counted.state == task.SUCCEEDED, counted
    output = b"".join(r.data for r in stub.ReadOutput(task.ReadOutputRequest(id="large", stream=task.STDOUT), timeout=30))
    assert output.strip() == str(10 << 20).encode(), output

    # One task alone may bring as much inside the call.
    submit(stub, spec("inline", "wc", "-c", stdin=b"x" * (10 << 20)))
    counted = last_seen(stub, "inline")
    assert counted.state == task.SUCCEEDED, counted

    missing = stub.Get(task.GetRequest(ids=["from-python", "never-was"]), timeout=30)
    assert [t.id for t in missing.tasks] == ["from-python"] and list(missing.not_found) == ["never-was"], missing
    check_refusals(stub)
    print("submitted, watched, cancelled")


if __name__ == "__main__":
    main()
