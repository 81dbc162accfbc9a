"""Responses wait for their takers: nothing is lost, nothing gated leaves before its outcome."""

from __future__ import annotations

import asyncio

import pytest
from pyspark.sql.connect import proto

from gongshu.errors import GongshuError, Unavailable
from gongshu.gateway.operation import Operation


def batch(rows: int) -> proto.ExecutePlanResponse:
    response = proto.ExecutePlanResponse()
    response.arrow_batch.row_count = rows
    response.arrow_batch.data = b"x" * 10
    return response


async def filled(count: int) -> Operation:
    operation = Operation("client-op", frozenset(), True)
    for number in range(count):
        await operation.put(batch(number), gated=number == count - 1)
    await operation.finish()
    return operation


async def taken(operation: Operation, after: str | None = None) -> list[proto.ExecutePlanResponse]:
    return [response async for response in operation.take(after)]


def test_a_lost_client_takes_up_where_it_stopped() -> None:
    async def run() -> None:
        operation = await filled(4)
        first = [r.arrow_batch.row_count for r in await taken(operation)]
        assert first == [0, 1, 2, 3] and operation.delivered_rows == 6
        second = await taken(operation, operation._kept[1].response.response_id)
        assert [r.arrow_batch.row_count for r in second] == [2, 3]
        assert operation.delivered_rows == 6  # given twice, counted once
        until = operation._kept[2].response.response_id
        operation.release(until)
        assert [r.arrow_batch.row_count for r in await taken(operation, until)] == [3]
        with pytest.raises(GongshuError, match="POSITION_NOT_AVAILABLE"):
            await taken(operation, None)

    asyncio.run(run())


def test_the_gated_response_stays_when_the_outcome_cannot_be_written() -> None:
    async def run() -> None:
        operation = await filled(3)

        async def refuse(status: str) -> None:
            raise Unavailable("log")

        operation.settle = refuse
        seen = []
        with pytest.raises(Unavailable):
            async for response in operation.take(None):
                seen.append(response.arrow_batch.row_count)
        assert seen == [0, 1]

    asyncio.run(run())


def test_a_new_taker_ends_the_earlier_one() -> None:
    async def run() -> None:
        operation = Operation("client-op", frozenset(), True)
        earlier = asyncio.create_task(taken(operation))
        await asyncio.sleep(0)
        later = asyncio.create_task(taken(operation))
        await asyncio.sleep(0.01)
        await operation.put(batch(1))
        await operation.finish()
        with pytest.raises(GongshuError, match="DISCONNECTED"):
            await earlier
        assert len(await later) == 1

    asyncio.run(run())
