/** Plain texts to measure by, three a language: a letter, an answer about some work, a report. No list of words was made from them. */
export const samples: Readonly<Record<string, readonly string[]>> = {
	en: [
		'Thank you for your letter. We were away over the weekend and could not reply sooner, but the parcel has arrived and everything in it was exactly what my sister wanted. She asks whether you would like to visit us when the weather gets warmer.',
		'Before you replace the filter, switch the machine off and let it cool down for half an hour. Remove both screws at the back, lift the cover carefully, and check that no water is left inside. If the lamp keeps blinking afterwards, call the workshop.',
		'The town council decided on Tuesday to close the old bridge for two years because its pillars are cracked. Shopkeepers on the northern bank fear that their customers will stay away, while many families look forward to quieter streets.',
	],
	de: [
		'Vielen Dank für deinen Brief. Wir waren über das Wochenende verreist und konnten nicht früher antworten, aber das Paket ist angekommen und alles darin war genau das, was meine Schwester sich gewünscht hatte. Sie fragt, ob du uns im Frühling besuchen magst.',
		'Bevor Sie den Filter wechseln, schalten Sie das Gerät aus und lassen Sie es eine halbe Stunde abkühlen. Entfernen Sie beide Schrauben an der Rückseite, heben Sie den Deckel vorsichtig an und prüfen Sie, ob noch Wasser darin steht.',
		'Der Stadtrat hat am Dienstag beschlossen, die alte Brücke für zwei Jahre zu sperren, weil ihre Pfeiler Risse haben. Händler am nördlichen Ufer fürchten, dass ihre Kunden wegbleiben, während viele Familien sich auf ruhigere Straßen freuen.',
	],
	fr: [
		"Merci beaucoup pour ta lettre. Nous étions absents ce week-end et nous n'avons pas pu répondre plus tôt, mais le colis est bien arrivé et tout ce qu'il contenait était exactement ce que ma sœur voulait. Elle demande si tu aimerais venir nous voir au printemps.",
		"Avant de remplacer le filtre, éteignez la machine et laissez-la refroidir pendant une demi-heure. Retirez les deux vis à l'arrière, soulevez le couvercle avec précaution et vérifiez qu'il ne reste plus d'eau à l'intérieur.",
		'Le conseil municipal a décidé mardi de fermer le vieux pont pendant deux ans parce que ses piliers sont fissurés. Les commerçants de la rive nord craignent que leurs clients ne viennent plus, tandis que beaucoup de familles espèrent des rues plus calmes.',
	],
	es: [
		'Muchas gracias por tu carta. Estuvimos fuera el fin de semana y no pudimos contestar antes, pero el paquete ya llegó y todo lo que había dentro era justo lo que quería mi hermana. Pregunta si te gustaría visitarnos cuando haga mejor tiempo.',
		'Antes de cambiar el filtro, apague la máquina y deje que se enfríe durante media hora. Quite los dos tornillos de la parte trasera, levante la tapa con cuidado y compruebe que no quede agua dentro. Si la luz sigue parpadeando, llame al taller.',
		'El ayuntamiento decidió el martes cerrar el puente viejo durante dos años porque sus pilares tienen grietas. Los comerciantes de la orilla norte temen que sus clientes dejen de venir, mientras que muchas familias esperan calles más tranquilas.',
	],
	pt: [
		'Muito obrigado pela sua carta. Estivemos fora no fim de semana e não conseguimos responder antes, mas a encomenda já chegou e tudo o que vinha dentro era exatamente o que a minha irmã queria. Ela pergunta se você gostaria de nos visitar na primavera.',
		'Antes de trocar o filtro, desligue a máquina e deixe esfriar durante meia hora. Retire os dois parafusos da parte de trás, levante a tampa com cuidado e verifique se não ficou água lá dentro. Se a luz continuar piscando, ligue para a oficina.',
		'A câmara municipal decidiu na terça-feira fechar a ponte velha durante dois anos porque os seus pilares estão rachados. Os comerciantes da margem norte temem que os clientes deixem de vir, enquanto muitas famílias esperam ruas mais calmas.',
	],
	it: [
		'Grazie mille per la tua lettera. Siamo stati via durante il fine settimana e non abbiamo potuto rispondere prima, ma il pacco è arrivato e tutto quello che conteneva era proprio ciò che voleva mia sorella. Chiede se ti piacerebbe venire a trovarci.',
		"Prima di sostituire il filtro, spegnete la macchina e lasciatela raffreddare per mezz'ora. Togliete le due viti sul retro, sollevate il coperchio con attenzione e controllate che non sia rimasta acqua all'interno. Se la spia lampeggia ancora, chiamate l'officina.",
		'Il consiglio comunale ha deciso martedì di chiudere il vecchio ponte per due anni perché i suoi pilastri sono pieni di crepe. I negozianti della riva nord temono che i clienti non vengano più, mentre molte famiglie sperano in strade più tranquille.',
	],
	nl: [
		'Hartelijk dank voor je brief. We waren dit weekend op reis en konden niet eerder antwoorden, maar het pakje is aangekomen en alles wat erin zat was precies wat mijn zus graag wilde hebben. Ze vraagt of je ons in het voorjaar komt opzoeken.',
		'Voordat u het filter vervangt, zet u de machine uit en laat u haar een half uur afkoelen. Verwijder de twee schroeven aan de achterkant, til het deksel voorzichtig op en kijk of er geen water meer in staat. Blijft het lampje knipperen, bel dan de werkplaats.',
		'De gemeenteraad heeft dinsdag besloten om de oude brug twee jaar lang te sluiten omdat er scheuren in de pijlers zitten. Winkeliers op de noordelijke oever vrezen dat hun klanten wegblijven, terwijl veel gezinnen uitkijken naar rustigere straten.',
	],
	sv: [
		'Tack så mycket för ditt brev. Vi var bortresta över helgen och kunde inte svara tidigare, men paketet har kommit fram och allt som låg i det var precis vad min syster ville ha. Hon undrar om du skulle vilja hälsa på oss när det blir varmare.',
		'Innan du byter filter ska du stänga av maskinen och låta den svalna i en halvtimme. Ta bort de två skruvarna på baksidan, lyft försiktigt på locket och kontrollera att det inte finns något vatten kvar. Om lampan fortfarande blinkar ringer du verkstaden.',
		'Kommunen beslutade i tisdags att stänga den gamla bron i två år eftersom det har blivit sprickor i pelarna. Butiksägare på den norra sidan är rädda för att kunderna ska utebli, medan många familjer ser fram emot lugnare gator.',
	],
	da: [
		'Mange tak for dit brev. Vi var ude at rejse i weekenden og kunne ikke svare før, men pakken er kommet frem, og alt hvad der lå i den, var lige det, min søster ønskede sig. Hun spørger, om du har lyst til at besøge os, når vejret bliver bedre.',
		'Før du skifter filteret, skal du slukke for maskinen og lade den køle af i en halv time. Fjern de to skruer på bagsiden, løft forsigtigt låget af, og se efter, at der ikke er mere vand tilbage. Hvis lampen stadig blinker, så ring til værkstedet.',
		'Byrådet besluttede tirsdag at lukke den gamle bro i to år, fordi der er kommet revner i pillerne. De handlende på den nordlige side frygter, at kunderne bliver væk, mens mange familier glæder sig til mere stille gader.',
	],
	no: [
		'Tusen takk for brevet ditt. Vi var bortreist i helgen og kunne ikke svare før, men pakken har kommet frem, og alt som lå i den var akkurat det søsteren min ønsket seg. Hun lurer på om du har lyst til å besøke oss når det blir varmere i været.',
		'Før du bytter filteret, må du slå av maskinen og la den kjøle seg ned i en halv time. Ta ut de to skruene på baksiden, løft forsiktig av lokket og sjekk at det ikke er noe vann igjen. Hvis lampen fortsatt blinker, må du ringe til verkstedet.',
		'Kommunestyret bestemte tirsdag å stenge den gamle broen i to år fordi det er kommet sprekker i pilarene. Butikkeierne på nordsiden er redde for at kundene skal bli borte, mens mange familier gleder seg til roligere gater.',
	],
	fi: [
		'Paljon kiitoksia kirjeestäsi. Olimme viikonlopun matkoilla emmekä ehtineet vastata aikaisemmin, mutta paketti on tullut perille ja kaikki siinä oli juuri sitä, mitä sisareni toivoi. Hän kysyy, haluaisitko tulla meille käymään, kun sää lämpenee.',
		'Ennen kuin vaihdat suodattimen, sammuta kone ja anna sen jäähtyä puoli tuntia. Irrota takana olevat kaksi ruuvia, nosta kansi varovasti pois ja tarkista, ettei sisälle ole jäänyt vettä. Jos valo vilkkuu edelleen, soita korjaamoon.',
		'Kaupunginvaltuusto päätti tiistaina sulkea vanhan sillan kahdeksi vuodeksi, koska sen pilareissa on halkeamia. Pohjoisrannan kauppiaat pelkäävät, että asiakkaat jäävät pois, kun taas monet perheet odottavat rauhallisempia katuja.',
	],
	pl: [
		'Bardzo dziękuję za twój list. Wyjechaliśmy na weekend i nie mogliśmy odpowiedzieć wcześniej, ale paczka już przyszła i wszystko, co w niej było, okazało się dokładnie tym, czego chciała moja siostra. Pyta, czy odwiedzisz nas, kiedy zrobi się cieplej.',
		'Przed wymianą filtra wyłącz urządzenie i poczekaj pół godziny, aż ostygnie. Wykręć obie śruby z tyłu, ostrożnie podnieś pokrywę i sprawdź, czy w środku nie została woda. Jeśli lampka nadal miga, zadzwoń do warsztatu.',
		'Rada miasta postanowiła we wtorek zamknąć stary most na dwa lata, ponieważ jego filary popękały. Sklepikarze z północnego brzegu boją się, że klienci przestaną przychodzić, natomiast wiele rodzin cieszy się na spokojniejsze ulice.',
	],
	cs: [
		'Mockrát děkuji za tvůj dopis. O víkendu jsme byli pryč a nemohli jsme odpovědět dřív, ale balík už přišel a všechno, co v něm bylo, si moje sestra přesně přála. Ptá se, jestli bys nás nechtěl navštívit, až bude tepleji.',
		'Než vyměníte filtr, vypněte přístroj a nechte ho půl hodiny vychladnout. Odstraňte oba šrouby na zadní straně, opatrně zvedněte kryt a zkontrolujte, zda uvnitř nezůstala voda. Pokud kontrolka stále bliká, zavolejte do dílny.',
		'Městská rada v úterý rozhodla, že starý most bude na dva roky uzavřen, protože jeho pilíře jsou popraskané. Obchodníci ze severního břehu se obávají, že zákazníci přestanou chodit, zatímco mnoho rodin se těší na klidnější ulice.',
	],
	hu: [
		'Nagyon köszönöm a leveledet. A hétvégén elutaztunk, ezért nem tudtunk hamarabb válaszolni, de a csomag megérkezett, és minden, ami benne volt, pontosan az, amit a nővérem szeretett volna. Azt kérdezi, nem látogatnál-e meg minket, ha jobb lesz az idő.',
		'Mielőtt kicseréli a szűrőt, kapcsolja ki a gépet, és hagyja fél órán át hűlni. Vegye ki a két csavart a hátulján, óvatosan emelje le a fedelet, és nézze meg, hogy nem maradt-e benne víz. Ha a lámpa továbbra is villog, hívja a műhelyt.',
		'A városi tanács kedden úgy döntött, hogy két évre lezárja a régi hidat, mert a pillérei megrepedtek. Az északi part boltosai attól félnek, hogy elmaradnak a vevők, sok család viszont már várja, hogy csendesebbek legyenek az utcák.',
	],
	ro: [
		'Îți mulțumesc mult pentru scrisoare. Am fost plecați la sfârșitul săptămânii și nu am putut răspunde mai devreme, dar pachetul a ajuns și tot ce era în el era exact ce își dorea sora mea. Ea întreabă dacă ai vrea să ne vizitezi când se face mai cald.',
		'Înainte de a schimba filtrul, opriți aparatul și lăsați-l să se răcească timp de o jumătate de oră. Scoateți cele două șuruburi din spate, ridicați capacul cu grijă și verificați să nu fi rămas apă înăuntru. Dacă becul clipește în continuare, sunați la atelier.',
		'Consiliul local a hotărât marți să închidă podul vechi pentru doi ani, deoarece stâlpii lui sunt crăpați. Negustorii de pe malul de nord se tem că nu vor mai avea clienți, în timp ce multe familii așteaptă străzi mai liniștite.',
	],
	tr: [
		'Mektubun için çok teşekkür ederim. Hafta sonu burada değildik ve daha önce cevap veremedik, ama paket geldi ve içindeki her şey tam da kız kardeşimin istediği gibiydi. Hava ısınınca bizi ziyaret etmek ister misin diye soruyor.',
		'Filtreyi değiştirmeden önce makineyi kapatın ve yarım saat soğumasını bekleyin. Arkadaki iki vidayı çıkarın, kapağı dikkatle kaldırın ve içinde su kalmadığından emin olun. Işık hâlâ yanıp sönüyorsa lütfen servisi arayın.',
		'Belediye meclisi salı günü, ayakları çatladığı için eski köprüyü iki yıl boyunca kapatmaya karar verdi. Kuzey kıyısındaki esnaf müşterilerinin gelmeyeceğinden korkuyor, birçok aile ise daha sakin sokaklar bekliyor.',
	],
	id: [
		'Terima kasih banyak atas suratmu. Kami sedang bepergian pada akhir pekan dan tidak bisa membalas lebih cepat, tetapi paketnya sudah sampai dan semua isinya persis seperti yang diinginkan adik saya. Dia bertanya apakah kamu mau mengunjungi kami.',
		'Sebelum mengganti saringan, matikan mesin dan biarkan dingin selama setengah jam. Lepaskan kedua sekrup di bagian belakang, angkat tutupnya dengan hati-hati, dan pastikan tidak ada air yang tersisa di dalamnya. Jika lampu masih berkedip, hubungi bengkel.',
		'Dewan kota memutuskan pada hari Selasa untuk menutup jembatan tua itu selama dua tahun karena tiangnya retak. Para pedagang di tepi utara takut pelanggan mereka tidak akan datang lagi, sedangkan banyak keluarga berharap jalanan menjadi lebih tenang.',
	],
	vi: [
		'Cảm ơn bạn rất nhiều vì lá thư. Cuối tuần chúng tôi đi vắng nên không thể trả lời sớm hơn, nhưng gói hàng đã đến và mọi thứ bên trong đúng là những gì em gái tôi mong muốn. Em ấy hỏi bạn có muốn đến thăm chúng tôi khi trời ấm hơn không.',
		'Trước khi thay bộ lọc, hãy tắt máy và để nguội trong nửa giờ. Tháo hai con vít ở phía sau, nhấc nắp lên cẩn thận và kiểm tra xem bên trong có còn nước không. Nếu đèn vẫn nhấp nháy thì hãy gọi cho xưởng sửa chữa.',
		'Hội đồng thành phố hôm thứ ba đã quyết định đóng cửa cây cầu cũ trong hai năm vì các trụ cầu bị nứt. Những người bán hàng ở bờ bắc lo rằng khách sẽ không đến nữa, trong khi nhiều gia đình mong đường phố yên tĩnh hơn.',
	],
	sw: [
		'Asante sana kwa barua yako. Tulikuwa safarini mwishoni mwa wiki na hatukuweza kujibu mapema, lakini kifurushi kimefika na kila kitu kilichokuwa ndani ni kile ambacho dada yangu alitaka. Anauliza kama ungependa kututembelea hali ya hewa ikiwa nzuri.',
		'Kabla ya kubadilisha kichujio, zima mashine na uiache ipoe kwa nusu saa. Ondoa skrubu mbili zilizo upande wa nyuma, inua kifuniko kwa uangalifu na uhakikishe kwamba hakuna maji yaliyobaki ndani. Ikiwa taa bado inawaka, piga simu kwa karakana.',
		'Baraza la mji liliamua siku ya Jumanne kufunga daraja la zamani kwa miaka miwili kwa sababu nguzo zake zina nyufa. Wafanyabiashara wa upande wa kaskazini wanaogopa kwamba wateja wao hawatakuja tena, lakini familia nyingi zinatarajia utulivu.',
	],
	tl: [
		'Maraming salamat sa iyong sulat. Wala kami noong katapusan ng linggo kaya hindi kami nakasagot agad, pero dumating na ang pakete at lahat ng laman nito ay iyon mismo ang gusto ng kapatid ko. Itinatanong niya kung gusto mo kaming bisitahin.',
		'Bago mo palitan ang salaan, patayin muna ang makina at hayaan itong lumamig nang kalahating oras. Tanggalin ang dalawang turnilyo sa likod, iangat nang dahan-dahan ang takip, at tiyaking wala nang tubig na natira sa loob.',
		'Nagpasya ang konseho ng bayan noong Martes na isara ang lumang tulay sa loob ng dalawang taon dahil may mga bitak ang mga haligi nito. Natatakot ang mga nagtitinda sa hilagang pampang na hindi na babalik ang kanilang mga mamimili.',
	],
	ru: [
		'Большое спасибо за твоё письмо. Мы уезжали на выходные и не могли ответить раньше, но посылка уже пришла, и всё, что в ней было, оказалось именно тем, чего хотела моя сестра. Она спрашивает, не хочешь ли ты приехать к нам в гости.',
		'Прежде чем менять фильтр, выключите прибор и дайте ему остыть в течение получаса. Снимите оба винта сзади, осторожно поднимите крышку и проверьте, не осталось ли внутри воды. Если лампочка продолжает мигать, позвоните в мастерскую.',
		'Городской совет решил во вторник закрыть старый мост на два года, потому что его опоры потрескались. Владельцы лавок на северном берегу боятся, что покупатели перестанут приходить, а многие семьи ждут более тихих улиц.',
	],
	uk: [
		'Дуже дякую за твій лист. Ми їздили на вихідні й не могли відповісти раніше, але пакунок уже прийшов, і все, що в ньому було, виявилося саме тим, чого хотіла моя сестра. Вона питає, чи не хочеш ти приїхати до нас у гості.',
		'Перш ніж міняти фільтр, вимкніть прилад і дайте йому охолонути протягом пів години. Зніміть обидва гвинти ззаду, обережно підніміть кришку та перевірте, чи не залишилося всередині води. Якщо лампочка й далі блимає, зателефонуйте до майстерні.',
		'Міська рада вирішила у вівторок закрити старий міст на два роки, бо його опори потріскалися. Власники крамниць на північному березі бояться, що покупці перестануть приходити, а багато родин чекають на тихіші вулиці.',
	],
	bg: [
		'Много благодаря за писмото ти. През почивните дни пътувахме и не можахме да отговорим по-рано, но колетът вече пристигна и всичко в него беше точно това, което искаше сестра ми. Тя пита дали не искаш да ни дойдеш на гости.',
		'Преди да смените филтъра, изключете машината и я оставете да изстине половин час. Махнете двата винта отзад, внимателно вдигнете капака и проверете дали вътре не е останала вода. Ако лампата продължава да мига, обадете се в сервиза.',
		'Общинският съвет реши във вторник да затвори стария мост за две години, защото колоните му са напукани. Търговците на северния бряг се страхуват, че клиентите им ще спрат да идват, а много семейства очакват по-тихи улици.',
	],
	el: [
		'Σε ευχαριστώ πολύ για το γράμμα σου. Λείπαμε το Σαββατοκύριακο και δεν μπορέσαμε να απαντήσουμε νωρίτερα, αλλά το δέμα έφτασε και όλα όσα είχε μέσα ήταν ακριβώς αυτά που ήθελε η αδελφή μου. Ρωτάει αν θα ήθελες να μας επισκεφτείς.',
		'Πριν αλλάξετε το φίλτρο, σβήστε το μηχάνημα και αφήστε το να κρυώσει για μισή ώρα. Βγάλτε τις δύο βίδες από πίσω, σηκώστε προσεκτικά το καπάκι και ελέγξτε ότι δεν έχει μείνει νερό μέσα. Αν το λαμπάκι αναβοσβήνει ακόμα, καλέστε το συνεργείο.',
		'Το δημοτικό συμβούλιο αποφάσισε την Τρίτη να κλείσει την παλιά γέφυρα για δύο χρόνια, επειδή οι κολόνες της έχουν ρωγμές. Οι καταστηματάρχες της βόρειας όχθης φοβούνται ότι θα χάσουν τους πελάτες τους.',
	],
	ar: [
		'شكرا جزيلا على رسالتك. كنا مسافرين في نهاية الأسبوع ولم نستطع أن نرد قبل الآن، لكن الطرد وصل وكل ما كان فيه هو بالضبط ما كانت تريده أختي. وهي تسأل إن كنت تود أن تزورنا عندما يصبح الجو أكثر دفئا.',
		'قبل أن تغير المرشح، أطفئ الجهاز واتركه يبرد لمدة نصف ساعة. انزع البرغيين من الخلف وارفع الغطاء بحذر وتأكد من أنه لم يبق ماء في الداخل. إذا استمر المصباح في الوميض فاتصل بالورشة.',
		'قرر مجلس المدينة يوم الثلاثاء إغلاق الجسر القديم لمدة سنتين لأن أعمدته متشققة. ويخشى أصحاب المتاجر على الضفة الشمالية أن يتوقف زبائنهم عن المجيء، بينما تأمل عائلات كثيرة في شوارع أكثر هدوءا.',
	],
	fa: [
		'از نامه‌ات خیلی ممنونم. ما آخر هفته در سفر بودیم و نتوانستیم زودتر جواب بدهیم، اما بسته رسید و هر چه در آن بود درست همان چیزی بود که خواهرم می‌خواست. او می‌پرسد که آیا دوست داری وقتی هوا گرم‌تر شد به دیدن ما بیایی.',
		'پیش از آنکه صافی را عوض کنید، دستگاه را خاموش کنید و بگذارید نیم ساعت خنک شود. دو پیچ پشت آن را باز کنید، درپوش را با دقت بردارید و ببینید که آبی در داخل نمانده باشد. اگر چراغ هنوز چشمک می‌زند با تعمیرگاه تماس بگیرید.',
		'شورای شهر روز سه‌شنبه تصمیم گرفت پل قدیمی را برای دو سال ببندد، چون پایه‌های آن ترک برداشته است. مغازه‌داران ساحل شمالی می‌ترسند که مشتریانشان دیگر نیایند، ولی بسیاری از خانواده‌ها چشم به راه خیابان‌های آرام‌تر هستند.',
	],
	ur: [
		'آپ کے خط کا بہت شکریہ۔ ہم ہفتے کے آخر میں باہر گئے ہوئے تھے اور پہلے جواب نہیں دے سکے، لیکن پارسل پہنچ گیا ہے اور اس میں جو کچھ تھا وہ بالکل وہی تھا جو میری بہن چاہتی تھی۔ وہ پوچھتی ہے کہ کیا آپ ہم سے ملنے آئیں گے۔',
		'فلٹر بدلنے سے پہلے مشین بند کر دیں اور اسے آدھا گھنٹہ ٹھنڈا ہونے دیں۔ پیچھے لگے دونوں پیچ نکالیں، ڈھکن احتیاط سے اٹھائیں اور دیکھ لیں کہ اندر پانی تو نہیں رہ گیا۔ اگر بتی پھر بھی جلتی بجھتی رہے تو ورکشاپ کو فون کریں۔',
		'شہر کی کونسل نے منگل کے دن فیصلہ کیا کہ پرانا پل دو سال کے لیے بند کر دیا جائے کیونکہ اس کے ستونوں میں دراڑیں پڑ گئی ہیں۔ شمالی کنارے کے دکاندار ڈرتے ہیں کہ ان کے گاہک نہیں آئیں گے۔',
	],
	he: [
		'תודה רבה על המכתב שלך. היינו בחופשה בסוף השבוע ולא יכולנו לענות קודם, אבל החבילה הגיעה וכל מה שהיה בה היה בדיוק מה שאחותי רצתה. היא שואלת אם תרצה לבקר אותנו כשמזג האוויר יהיה חם יותר.',
		'לפני שמחליפים את המסנן יש לכבות את המכשיר ולתת לו להתקרר חצי שעה. הוציאו את שני הברגים מאחור, הרימו את המכסה בזהירות ובדקו שלא נשארו מים בפנים. אם הנורה עדיין מהבהבת, התקשרו לבית המלאכה.',
		'מועצת העיר החליטה ביום שלישי לסגור את הגשר הישן לשנתיים משום שהעמודים שלו סדוקים. בעלי החנויות בגדה הצפונית חוששים שהלקוחות יפסיקו לבוא, ואילו משפחות רבות מצפות לרחובות שקטים יותר.',
	],
	hi: [
		'आपके पत्र के लिए बहुत धन्यवाद। हम सप्ताहांत में बाहर गए थे और पहले जवाब नहीं दे सके, लेकिन पार्सल पहुँच गया है और उसमें जो कुछ था वह ठीक वही था जो मेरी बहन चाहती थी। वह पूछ रही है कि क्या आप हमसे मिलने आना चाहेंगे।',
		'फ़िल्टर बदलने से पहले मशीन बंद कर दें और उसे आधे घंटे तक ठंडा होने दें। पीछे के दोनों पेंच निकालें, ढक्कन को सावधानी से उठाएँ और देख लें कि अंदर पानी तो नहीं बचा है। अगर बत्ती फिर भी टिमटिमाए तो कारख़ाने को फ़ोन करें।',
		'नगर परिषद ने मंगलवार को फ़ैसला किया कि पुराना पुल दो साल के लिए बंद रहेगा क्योंकि उसके खंभों में दरारें पड़ गई हैं। उत्तरी किनारे के दुकानदारों को डर है कि उनके ग्राहक नहीं आएँगे, जबकि कई परिवार शांत सड़कों की आशा करते हैं।',
	],
	mr: [
		'तुझ्या पत्राबद्दल खूप खूप आभार. आम्ही शनिवार रविवार बाहेर गेलो होतो आणि त्यामुळे आधी उत्तर देऊ शकलो नाही, पण पार्सल आले आहे आणि त्यात जे काही होते ते माझ्या बहिणीला हवे होते तसेच होते. ती विचारते की तू आमच्याकडे येशील का.',
		'गाळणी बदलण्यापूर्वी यंत्र बंद करा आणि ते अर्धा तास थंड होऊ द्या. मागचे दोन्ही स्क्रू काढा, झाकण काळजीपूर्वक उचला आणि आत पाणी राहिले नाही ना ते पाहा. दिवा तरीही लुकलुकत असेल तर दुरुस्ती केंद्राला फोन करा.',
		'नगर परिषदेने मंगळवारी जुना पूल दोन वर्षांसाठी बंद करण्याचा निर्णय घेतला कारण त्याच्या खांबांना तडे गेले आहेत. उत्तरेकडील दुकानदारांना भीती वाटते की त्यांचे ग्राहक येणार नाहीत, तर अनेक कुटुंबांना शांत रस्ते हवे आहेत.',
	],
	bn: [
		'তোমার চিঠির জন্য অনেক ধন্যবাদ। আমরা সপ্তাহের শেষে বাইরে গিয়েছিলাম, তাই আগে উত্তর দিতে পারিনি, কিন্তু পার্সেলটা এসে গেছে আর তার ভেতরে যা ছিল সবই আমার বোন যেমন চেয়েছিল ঠিক তেমন। সে জিজ্ঞেস করছে তুমি আমাদের কাছে আসবে কি না।',
		'ছাঁকনি বদলানোর আগে যন্ত্রটি বন্ধ করুন এবং আধ ঘণ্টা ঠান্ডা হতে দিন। পেছনের দুটি স্ক্রু খুলে ফেলুন, ঢাকনাটি সাবধানে তুলুন এবং দেখে নিন ভেতরে জল রয়ে গেছে কি না। বাতি তখনও জ্বলতে নিভতে থাকলে কারখানায় ফোন করুন।',
		'নগর পরিষদ মঙ্গলবার সিদ্ধান্ত নিয়েছে যে পুরনো সেতুটি দুই বছরের জন্য বন্ধ থাকবে, কারণ তার থামগুলিতে ফাটল ধরেছে। উত্তর পাড়ের দোকানদাররা ভয় পাচ্ছেন যে খদ্দেররা আর আসবে না।',
	],
	ta: [
		'உங்கள் கடிதத்திற்கு மிக்க நன்றி. வார இறுதியில் நாங்கள் வெளியூர் சென்றிருந்ததால் முன்பே பதில் எழுத முடியவில்லை, ஆனால் பொதி வந்து சேர்ந்துவிட்டது, அதில் இருந்தவை எல்லாம் என் தங்கை விரும்பியபடியே இருந்தன. நீங்கள் எங்களைப் பார்க்க வருவீர்களா என்று கேட்கிறாள்.',
		'வடிகட்டியை மாற்றுவதற்கு முன் இயந்திரத்தை நிறுத்தி அரை மணி நேரம் குளிர விடுங்கள். பின்புறம் உள்ள இரண்டு திருகுகளையும் கழற்றி, மூடியை மெதுவாகத் தூக்கி, உள்ளே தண்ணீர் இல்லை என்று பாருங்கள்.',
	],
	te: [
		'మీ ఉత్తరానికి చాలా ధన్యవాదాలు. మేము వారాంతంలో ఊరికి వెళ్ళాము కాబట్టి ముందుగా జవాబు ఇవ్వలేకపోయాము, కానీ పార్సిల్ వచ్చింది, అందులో ఉన్నవన్నీ మా చెల్లెలు కోరుకున్నట్టే ఉన్నాయి. మీరు మమ్మల్ని చూడటానికి వస్తారా అని ఆమె అడుగుతోంది.',
		'వడపోతను మార్చే ముందు యంత్రాన్ని ఆపి అరగంట పాటు చల్లారనివ్వండి. వెనుక ఉన్న రెండు మరలను తీసి, మూతను జాగ్రత్తగా ఎత్తి, లోపల నీళ్ళు మిగలలేదని చూసుకోండి. దీపం ఇంకా మెరుస్తుంటే మరమ్మతు కేంద్రానికి ఫోన్ చేయండి.',
	],
	th: [
		'ขอบคุณมากสำหรับจดหมายของคุณ พวกเราไม่อยู่บ้านช่วงสุดสัปดาห์จึงตอบเร็วกว่านี้ไม่ได้ แต่พัสดุมาถึงแล้วและทุกอย่างข้างในก็เป็นสิ่งที่น้องสาวของฉันต้องการพอดี เธอถามว่าคุณอยากมาเยี่ยมพวกเราเมื่ออากาศอุ่นขึ้นไหม',
		'ก่อนเปลี่ยนไส้กรอง ให้ปิดเครื่องแล้วปล่อยให้เย็นลงครึ่งชั่วโมง ถอดสกรูสองตัวด้านหลังออก ยกฝาขึ้นอย่างระมัดระวัง และตรวจดูว่าไม่มีน้ำเหลืออยู่ข้างใน ถ้าไฟยังกะพริบอยู่ให้โทรหาอู่ซ่อม',
	],
	zh: [
		'非常感谢你的来信。我们周末出门了，所以没能早点回复，不过包裹已经到了，里面的东西正是我妹妹想要的。她问你等天气暖和一些以后愿不愿意来我们家做客，我们可以一起去湖边散步，晚上再坐下来慢慢聊天，说说这几年各自的生活。',
		'更换滤网之前，请先关闭机器，让它冷却半个小时。取下背面的两颗螺丝，小心地掀起盖子，检查里面是否还有残留的水。如果指示灯仍然闪烁，请给维修店打电话，并告诉他们机器的型号和购买的时间，他们会派人上门来看。',
	],
	ja: [
		'お手紙をどうもありがとうございました。週末は出かけていたので、もっと早くお返事できませんでしたが、荷物は無事に届き、中身はすべて妹がほしがっていたとおりのものでした。暖かくなったら遊びに来ませんかと妹が聞いています。',
		'フィルターを交換する前に、機械の電源を切り、三十分ほど冷ましてください。裏側のねじを二本外し、ふたをゆっくり持ち上げて、中に水が残っていないことを確かめます。それでもランプが点滅する場合は、修理店に電話してください。',
	],
	ko: [
		'편지를 보내 주셔서 정말 고맙습니다. 주말에 집을 비워서 더 일찍 답장하지 못했지만, 소포는 잘 도착했고 안에 들어 있던 것은 모두 제 여동생이 바라던 그대로였습니다. 날씨가 따뜻해지면 우리 집에 놀러 오지 않겠느냐고 동생이 묻네요.',
		'필터를 바꾸기 전에 기계를 끄고 삼십 분 동안 식히십시오. 뒷면의 나사 두 개를 빼고 뚜껑을 조심스럽게 들어 올린 다음 안에 물이 남아 있지 않은지 확인하십시오. 그래도 불빛이 계속 깜빡이면 수리점에 전화해 주세요.',
	],
};
