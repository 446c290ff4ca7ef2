import calendar
import datetime as dt
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
from pandas.tseries.holiday import USFederalHolidayCalendar
from pandas.tseries.offsets import CustomBusinessDay

from hqg_algorithms import Hold, Strategy, TargetWeights


class DatesAndCalendars(Strategy):
    """Counts its own days: the turn-of-the-month effect by calendar arithmetic."""

    universe = ["SPY"]

    def __init__(self):
        self.today = date(2010, 1, 4)
        self.business_day = CustomBusinessDay(calendar=USFederalHolidayCalendar())
        self.opened = datetime(2010, 1, 4, 9, 30, tzinfo=ZoneInfo("America/New_York"))
        self.month_lengths = [calendar.monthrange(2011, m)[1] for m in range(1, 13)]

    def advance(self):
        self.today = (pd.Timestamp(self.today) + self.business_day).to_pydatetime().date()
        return self.today

    def on_data(self, data, portfolio):
        today = self.advance()
        last = calendar.monthrange(today.year, today.month)[1]
        near_end = (dt.date(today.year, today.month, last) - today) <= timedelta(days=3)
        age = (datetime.combine(today, dt.time()) - self.opened.replace(tzinfo=None)).total_seconds() / 86_400
        if today.weekday() == calendar.MONDAY and age > 365 * 30:
            self.log(today.isoformat() + today.strftime(" %A") + pd.to_datetime(today).day_name())
        if near_end or today.day <= 3:
            return TargetWeights({"SPY": 1.0})
        return Hold() if portfolio.cash > 0 else TargetWeights({})
