import assert from "node:assert/strict";
import { test } from "node:test";

import { EventStreamReader } from "../../../src/api/web/studio/service/event-stream.js";

const STREAM = 'id: 1\nevent: queued\ndata: {"position":0}\n\n: heartbeat\n\nid: 2\nevent: log\ndata: {"lines":["ä",\ndata: "b"]}\n\n';
const EVENTS = [
  { kind: "queued", data: '{"position":0}', id: "1" },
  { kind: "log", data: '{"lines":["ä",\n"b"]}', id: "2" },
];

test("events come out whole however the stream is cut", () => {
  for (const lineEnd of ["\n", "\r\n", "\r"]) {
    const text = STREAM.replaceAll("\n", lineEnd);
    for (let size = 1; size <= text.length; size += 1) {
      const reader = new EventStreamReader();
      const events = [];
      for (let at = 0; at < text.length; at += size) events.push(...reader.read(text.slice(at, at + size)));
      // A CR at the very end may be half of a line's end: what follows tells.
      events.push(...reader.read(":\n"));
      assert.deepEqual(events, EVENTS, `${JSON.stringify(lineEnd)} in pieces of ${size}`);
    }
  }
});

test("an event that is not complete is kept back", () => {
  const reader = new EventStreamReader();
  assert.deepEqual(reader.read("event: log\ndata: 1\n"), []);
  assert.deepEqual(reader.read("\n"), [{ kind: "log", data: "1", id: "" }]);
});

test("an event without an id keeps the last one, and a resumed stream the one that it resumes after", () => {
  const reader = new EventStreamReader("7");
  assert.equal(reader.read("data: x\n\n")[0].id, "7");
  assert.equal(reader.read("id: 8\ndata: x\n\ndata: y\n\n").at(-1)?.id, "8");
});

test("comments, unknown fields and events without data are left out", () => {
  assert.deepEqual(new EventStreamReader().read(":\nretry: 10\nfoo\n\nevent: x\n\n"), []);
});

test("one space after the colon belongs to the form, a second to the data", () => {
  assert.equal(new EventStreamReader().read("data:  x\n\n")[0].data, " x");
});
