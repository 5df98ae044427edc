"""The application's HTTP service: flows are made, read and deleted."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from pydantic import BaseModel
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from monitor.demo.application.models import ClientAccount, DiscoveryFlow, FlowState


class NewFlow(BaseModel):
    """What a client sends to begin a discovery."""

    name: str


class Flow(BaseModel):
    """What a client gets back."""

    flow_id: uuid.UUID
    name: str
    progress: int


Account = Annotated[uuid.UUID, Header(alias="X-Client-Account-ID")]


async def open_session(request: Request) -> AsyncIterator[AsyncSession]:
    """One transaction a request."""
    async with AsyncSession(request.app.state.engine) as session, session.begin():
        yield session


Session = Annotated[AsyncSession, Depends(open_session)]


def make_service(database_url: str) -> FastAPI:
    """The service on one database."""
    engine = create_async_engine(database_url)

    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        app.state.engine = engine
        yield
        await engine.dispose()

    app = FastAPI(title="discovery", lifespan=live)
    app.get("/health")(check_health)
    app.post("/api/v3/discovery-flow/flows", status_code=201)(create_flow)
    app.get("/api/v3/discovery-flow/flows/{flow_id}")(read_flow)
    app.delete("/api/v3/discovery-flow/flows/{flow_id}", status_code=204)(delete_flow)
    return app


async def check_health(request: Request) -> dict[str, str]:
    """Whether the database answers."""
    engine: AsyncEngine = request.app.state.engine
    async with engine.connect() as connection:
        await connection.execute(text("select 1"))
    return {"status": "ok"}


async def create_flow(body: NewFlow, account: Account, session: Session) -> Flow:
    """Begin a discovery."""
    flow_id = uuid.uuid4()
    await session.execute(
        insert(ClientAccount).values(id=account, name=str(account)).on_conflict_do_nothing()
    )
    await session.execute(insert(FlowState).values(flow_id=flow_id, client_account_id=account))
    await session.execute(
        insert(DiscoveryFlow).values(flow_id=flow_id, client_account_id=account, name=body.name)
    )
    return Flow(flow_id=flow_id, name=body.name, progress=0)


async def read_flow(flow_id: uuid.UUID, account: Account, session: Session) -> Flow:
    """One discovery of the caller's."""
    found = await session.execute(
        select(DiscoveryFlow.name, DiscoveryFlow.progress).where(
            DiscoveryFlow.flow_id == flow_id, DiscoveryFlow.client_account_id == account
        )
    )
    row = found.one_or_none()
    if row is None:
        raise HTTPException(404, "no such flow")
    return Flow(flow_id=flow_id, name=row.name, progress=row.progress)


async def delete_flow(flow_id: uuid.UUID, account: Account, session: Session) -> Response:
    """End a discovery and forget it."""
    await session.execute(
        delete(FlowState).where(
            FlowState.flow_id == flow_id, FlowState.client_account_id == account
        )
    )
    return Response(status_code=204)
