// Schemas as they are handed round, written down from memory, with a few rows each.

/** The shop of music, as its makers publish it for SQLite. */
export const CHINOOK = `
  CREATE TABLE [Artist] ([ArtistId] INTEGER NOT NULL, [Name] NVARCHAR(120), CONSTRAINT [PK_Artist] PRIMARY KEY ([ArtistId]));
  CREATE TABLE [Album] ([AlbumId] INTEGER NOT NULL, [Title] NVARCHAR(160) NOT NULL, [ArtistId] INTEGER NOT NULL,
    CONSTRAINT [PK_Album] PRIMARY KEY ([AlbumId]),
    FOREIGN KEY ([ArtistId]) REFERENCES [Artist] ([ArtistId]) ON DELETE NO ACTION ON UPDATE NO ACTION);
  CREATE INDEX [IFK_AlbumArtistId] ON [Album] ([ArtistId]);
  CREATE TABLE [Employee] ([EmployeeId] INTEGER NOT NULL, [LastName] NVARCHAR(20) NOT NULL, [FirstName] NVARCHAR(20) NOT NULL,
    [ReportsTo] INTEGER, [BirthDate] DATETIME, [Email] NVARCHAR(60),
    CONSTRAINT [PK_Employee] PRIMARY KEY ([EmployeeId]),
    FOREIGN KEY ([ReportsTo]) REFERENCES [Employee] ([EmployeeId]) ON DELETE NO ACTION ON UPDATE NO ACTION);
  CREATE TABLE [Customer] ([CustomerId] INTEGER NOT NULL, [FirstName] NVARCHAR(40) NOT NULL, [Company] NVARCHAR(80),
    [SupportRepId] INTEGER, CONSTRAINT [PK_Customer] PRIMARY KEY ([CustomerId]),
    FOREIGN KEY ([SupportRepId]) REFERENCES [Employee] ([EmployeeId]) ON DELETE NO ACTION ON UPDATE NO ACTION);
  CREATE TABLE [Genre] ([GenreId] INTEGER NOT NULL, [Name] NVARCHAR(120), CONSTRAINT [PK_Genre] PRIMARY KEY ([GenreId]));
  CREATE TABLE [MediaType] ([MediaTypeId] INTEGER NOT NULL, [Name] NVARCHAR(120),
    CONSTRAINT [PK_MediaType] PRIMARY KEY ([MediaTypeId]));
  CREATE TABLE [Invoice] ([InvoiceId] INTEGER NOT NULL, [CustomerId] INTEGER NOT NULL, [InvoiceDate] DATETIME NOT NULL,
    [BillingCity] NVARCHAR(40), [Total] NUMERIC(10,2) NOT NULL, CONSTRAINT [PK_Invoice] PRIMARY KEY ([InvoiceId]),
    FOREIGN KEY ([CustomerId]) REFERENCES [Customer] ([CustomerId]) ON DELETE NO ACTION ON UPDATE NO ACTION);
  CREATE TABLE [Playlist] ([PlaylistId] INTEGER NOT NULL, [Name] NVARCHAR(120),
    CONSTRAINT [PK_Playlist] PRIMARY KEY ([PlaylistId]));
  CREATE TABLE [PlaylistTrack] ([PlaylistId] INTEGER NOT NULL, [TrackId] INTEGER NOT NULL,
    CONSTRAINT [PK_PlaylistTrack] PRIMARY KEY ([PlaylistId], [TrackId]),
    FOREIGN KEY ([PlaylistId]) REFERENCES [Playlist] ([PlaylistId]) ON DELETE NO ACTION ON UPDATE NO ACTION,
    FOREIGN KEY ([TrackId]) REFERENCES [Track] ([TrackId]) ON DELETE NO ACTION ON UPDATE NO ACTION);
  CREATE TABLE [Track] ([TrackId] INTEGER NOT NULL, [Name] NVARCHAR(200) NOT NULL, [AlbumId] INTEGER,
    [MediaTypeId] INTEGER NOT NULL, [GenreId] INTEGER, [Composer] NVARCHAR(220), [Milliseconds] INTEGER NOT NULL,
    [Bytes] INTEGER, [UnitPrice] NUMERIC(10,2) NOT NULL, CONSTRAINT [PK_Track] PRIMARY KEY ([TrackId]),
    FOREIGN KEY ([AlbumId]) REFERENCES [Album] ([AlbumId]) ON DELETE NO ACTION ON UPDATE NO ACTION,
    FOREIGN KEY ([GenreId]) REFERENCES [Genre] ([GenreId]) ON DELETE NO ACTION ON UPDATE NO ACTION,
    FOREIGN KEY ([MediaTypeId]) REFERENCES [MediaType] ([MediaTypeId]) ON DELETE NO ACTION ON UPDATE NO ACTION);
  INSERT INTO Artist VALUES (1, 'AC/DC'), (2, 'Accept');
  INSERT INTO Album VALUES (1, 'For Those About To Rock We Salute You', 1), (2, 'Balls to the Wall', 2);
  INSERT INTO Employee VALUES (1, 'Adams', 'Andrew', NULL, '1962-02-18 00:00:00', 'andrew@chinookcorp.com'),
    (2, 'Edwards', 'Nancy', 1, '1958-12-08 00:00:00', NULL);
  INSERT INTO Customer VALUES (1, 'Luís', 'Embraer', 2), (2, 'Leonie', NULL, NULL);
  INSERT INTO Genre VALUES (1, 'Rock');
  INSERT INTO MediaType VALUES (1, 'MPEG audio file');
  INSERT INTO Invoice VALUES (1, 2, '2009-01-01 00:00:00', 'Stuttgart', 1.98), (2, 1, '2009-01-02 00:00:00', 'Oslo', 4);
  INSERT INTO Track VALUES (1, 'For Those About To Rock', 1, 1, 1, 'Angus Young', 343719, 11170334, 0.99),
    (2, 'Balls to the Wall', 2, 1, NULL, NULL, 342562, 5510424, 1);
  INSERT INTO Playlist VALUES (1, 'Music');
  INSERT INTO PlaylistTrack VALUES (1, 1), (1, 2);`

/** The traders, whose names are written as people write them. */
export const NORTHWIND = `
  CREATE TABLE "Categories" ("CategoryID" INTEGER PRIMARY KEY AUTOINCREMENT, "CategoryName" TEXT, "Description" TEXT,
    "Picture" BLOB);
  CREATE TABLE "Customers" ("CustomerID" NCHAR(5) NOT NULL, "CompanyName" NVARCHAR(40) NOT NULL, "Postal Code" NVARCHAR(10),
    PRIMARY KEY ("CustomerID"));
  CREATE TABLE "Suppliers" ("SupplierID" INTEGER PRIMARY KEY AUTOINCREMENT, "Company Name" TEXT NOT NULL, "HomePage" NTEXT);
  CREATE TABLE "Products" ("ProductID" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "ProductName" TEXT NOT NULL,
    "SupplierID" INTEGER, "CategoryID" INTEGER, "UnitPrice" MONEY NULL DEFAULT (0), "UnitsInStock" SMALLINT DEFAULT 0,
    "Discontinued" BIT NOT NULL DEFAULT 0 CHECK ("Discontinued" IN (0, 1)),
    CHECK ("UnitPrice" >= 0), CHECK ("UnitsInStock" >= 0),
    FOREIGN KEY ("CategoryID") REFERENCES "Categories" ("CategoryID") ON DELETE SET NULL ON UPDATE CASCADE,
    FOREIGN KEY ("SupplierID") REFERENCES "Suppliers" ("SupplierID") ON DELETE CASCADE);
  CREATE TABLE "Orders" ("OrderID" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "CustomerID" NCHAR(5), "OrderDate" DATETIME,
    "ShippedDate" DATETIME, "Freight" NUMERIC DEFAULT 0, "Ship Name" NVARCHAR(40), "ShipName" NVARCHAR(40),
    FOREIGN KEY ("CustomerID") REFERENCES "Customers" ("CustomerID"));
  CREATE INDEX "OrderDate" ON "Orders" ("OrderDate");
  CREATE INDEX "Ship" ON "Orders" ("Ship Name", "Freight");
  CREATE TABLE "Order Details" ("OrderID" INTEGER NOT NULL, "ProductID" INTEGER NOT NULL, "UnitPrice" NUMERIC NOT NULL DEFAULT 0,
    "Quantity" INTEGER NOT NULL DEFAULT 1, "Discount" REAL NOT NULL DEFAULT 0, PRIMARY KEY ("OrderID", "ProductID"),
    CHECK ("Discount" >= 0 AND "Discount" <= 1),
    FOREIGN KEY ("OrderID") REFERENCES "Orders" ("OrderID"), FOREIGN KEY ("ProductID") REFERENCES "Products" ("ProductID"));
  CREATE TABLE "Sales by Day" ("Day No" INTEGER PRIMARY KEY, "2nd Shift" BOOLEAN NOT NULL DEFAULT FALSE, "unit-price" DECIMAL(10, 2));
  CREATE VIEW "Current Product List" AS SELECT ProductID, ProductName FROM Products WHERE Discontinued = 0;
  INSERT INTO Categories VALUES (1, 'Beverages', 'Soft drinks', x'15ff00'), (2, 'Condiments', NULL, NULL);
  INSERT INTO Customers VALUES ('ALFKI', 'Alfreds Futterkiste', '12209'), ('ANATR', 'Ana Trujillo', NULL);
  INSERT INTO Suppliers VALUES (1, 'Exotic Liquids', NULL);
  INSERT INTO Products VALUES (1, 'Chai', 1, 1, 18, 39, 0), (2, 'Chang', 1, 1, 19.5, 17, 1);
  INSERT INTO Orders VALUES (10248, 'ALFKI', '1996-07-04', '1996-07-16', 32.38, 'Vins', 'Vins'),
    (10249, 'ANATR', '1996-07-05', NULL, 11, 'Toms', NULL);
  INSERT INTO "Order Details" VALUES (10248, 1, 14, 12, 0), (10249, 2, 9.8, 10, 0.15);
  INSERT INTO "Sales by Day" VALUES (1, 0, 10.5), (2, 1, 11);`
