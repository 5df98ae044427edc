"""The tables of the application, as its code sees them."""

import uuid
from datetime import datetime
from typing import ClassVar

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    Numeric,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Names of constraints are chosen here, so that migrations and models agree."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


FLOW_STATUS = Enum("initialized", "running", "paused", "completed", "failed", name="flow_status")


class ClientAccount(Base):
    """A customer."""

    __tablename__ = "client_accounts"
    id: Mapped[uuid.UUID] = mapped_column(
        UUID(), primary_key=True, server_default=text("gen_random_uuid()")
    )
    name: Mapped[str] = mapped_column(String(120), unique=True)


class FlowState(Base):
    """The state of one flow of agents; other tables hang on its flow."""

    __tablename__ = "crewai_flow_state_extensions"
    id: Mapped[uuid.UUID] = mapped_column(
        UUID(), primary_key=True, server_default=text("gen_random_uuid()")
    )
    flow_id: Mapped[uuid.UUID] = mapped_column(UUID(), unique=True)
    client_account_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("client_accounts.id", ondelete="CASCADE"), index=True
    )
    status: Mapped[str] = mapped_column(FLOW_STATUS, server_default="initialized")
    state: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )


class DiscoveryFlow(Base):
    """One discovery of a customer's assets."""

    __tablename__ = "discovery_flows"
    id: Mapped[uuid.UUID] = mapped_column(
        UUID(), primary_key=True, server_default=text("gen_random_uuid()")
    )
    flow_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("crewai_flow_state_extensions.flow_id", ondelete="CASCADE"), unique=True
    )
    client_account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("client_accounts.id"))
    name: Mapped[str] = mapped_column(String(200))
    progress: Mapped[int] = mapped_column(server_default="0")
    __table_args__ = (
        CheckConstraint("progress >= 0 AND progress <= 100", name="progress_range"),
        Index("ix_discovery_flows_account_name", "client_account_id", "name"),
    )


class Asset(Base):
    """Something a discovery found."""

    __tablename__ = "assets"
    id: Mapped[int] = mapped_column(primary_key=True)
    flow_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("discovery_flows.flow_id", ondelete="CASCADE"), index=True
    )
    hostname: Mapped[str] = mapped_column(String(255))
    monthly_cost: Mapped[float | None] = mapped_column(Numeric(12, 2))
    __table_args__ = (UniqueConstraint("flow_id", "hostname", name="uq_assets_flow_hostname"),)


class FlowEvent(Base):
    """Something that happened in a flow."""

    __tablename__ = "flow_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    flow_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("crewai_flow_state_extensions.flow_id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
